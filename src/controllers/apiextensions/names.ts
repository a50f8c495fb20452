/**
 * Which names of a definition are accepted: those nobody else in its group has.
 * Upstream: apiextensions-apiserver/pkg/controller/status/naming_controller.go.
 */

import type { Definition } from "../../apiextensions/definition.ts";
import { quote } from "../../apimachinery/validation/field.ts";
import type * as v1 from "../../apis/apiextensions/v1/types.ts";
import type { Condition } from "./conditions.ts";

type Names = v1.CustomResourceDefinitionNames;

export interface Naming {
  readonly names: Names;
  readonly condition: Condition;
}

interface Taken {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

/** `others`: the definitions of the group, with or without this one. */
export function namingOf(definition: Definition, others: Iterable<Definition>): Naming {
  const taken = takenNames(others);
  const wanted = definition.spec?.names ?? {};
  const accepted = definition.status?.acceptedNames ?? {};
  const names: Names = { ...accepted };
  let conflict: { readonly reason: string; readonly message: string } | undefined;
  const take = (field: "plural" | "singular" | "kind" | "listKind", reason: string) => {
    const used = field === "kind" || field === "listKind" ? taken.kinds : taken.resources;
    const name = wanted[field] ?? "";
    if (name === (accepted[field] ?? "") || !used.has(name)) names[field] = name;
    else conflict = { reason, message: inUse(name) };
  };
  take("plural", "PluralConflict");
  take("singular", "SingularConflict");
  const shortConflicts = conflictingShortNames(wanted, accepted, taken);
  if (shortConflicts.length === 0) setOrDrop(names, "shortNames", wanted.shortNames);
  else conflict = { reason: "ShortNamesConflict", message: aggregated(shortConflicts) };
  take("kind", "KindConflict");
  take("listKind", "ListKindConflict");
  setOrDrop(names, "categories", wanted.categories);
  const found = conflict ?? { reason: "NoConflicts", message: "no conflicts found" };
  const status = conflict === undefined ? "True" : "False";
  return { names, condition: { type: "NamesAccepted", status, ...found } };
}

const inUse = (name: string) => `${quote(name)} is already in use`;

function setOrDrop(
  names: Names,
  field: "shortNames" | "categories",
  values: string[] | undefined,
): void {
  if (values === undefined) delete names[field];
  else names[field] = values;
}

function takenNames(definitions: Iterable<Definition>): Taken {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of definitions) {
    const {
      plural = "",
      singular = "",
      shortNames = [],
      kind = "",
      listKind = "",
    } = status?.acceptedNames ?? {};
    for (const name of [plural, singular, ...shortNames]) resources.add(name);
    for (const name of [kind, listKind]) kinds.add(name);
  }
  return { resources, kinds };
}

function conflictingShortNames(wanted: Names, accepted: Names, taken: Taken): string[] {
  const own = new Set([...(accepted.shortNames ?? []), accepted.plural, accepted.singular]);
  return (wanted.shortNames ?? []).filter((name) => !own.has(name) && taken.resources.has(name));
}

function aggregated(names: readonly string[]): string {
  const texts = [...new Set(names.map(inUse))];
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}
