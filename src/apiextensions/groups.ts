/** Custom resources in discovery. Upstream: pkg/apiserver/customresource_discovery_controller.go. */
import {
  compareVersions,
  type ServedGroup,
  type ServedResource,
  type ServedVersion,
  sortGroups,
  storageVersionHash,
} from "../endpoints/discovery/resources.ts";
import { type Definition, type DefinitionVersion, isTrue } from "./definition.ts";

/** Upstream: crdregistration's priority of every group. */
const PRIORITY = 1000;
const VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const TERMINATING_VERBS = ["delete", "deletecollection", "get", "list", "watch"];
const SUBRESOURCE_VERBS = ["get", "patch", "update"];

/** The built-in groups with those of established definitions, in discovery's order. */
export function groupsWith(
  builtIn: readonly ServedGroup[],
  definitions: Iterable<Definition>,
): readonly ServedGroup[] {
  const byGroup = new Map<string, Map<string, ServedResource[]>>();
  for (const definition of definitions) {
    if (!isTrue(definition, "Established")) continue;
    const { group = "", versions = [] } = definition.spec ?? {};
    const found = byGroup.get(group) ?? new Map<string, ServedResource[]>();
    byGroup.set(group, found);
    for (const version of versions) {
      if (version.served !== true) continue;
      const name = version.name ?? "";
      found.set(name, [...(found.get(name) ?? []), discovered(definition, version)]);
    }
  }
  if (byGroup.size === 0) return builtIn;
  const groups: ServedGroup[] = builtIn.map((group) => {
    const more = byGroup.get(group.group);
    byGroup.delete(group.group);
    if (more === undefined) return group;
    const known = new Set(group.versions.map(({ version }) => version));
    const added = versionsOf(more).filter(({ version }) => !known.has(version));
    return { ...group, versions: [...group.versions, ...added] };
  });
  for (const [group, versions] of byGroup) {
    if (versions.size === 0) continue;
    groups.push({ group, versions: versionsOf(versions), priority: PRIORITY, explicitKinds: true });
  }
  return sortGroups(groups);
}

function versionsOf(versions: ReadonlyMap<string, readonly ServedResource[]>): ServedVersion[] {
  return [...versions]
    .map(([version, resources]) => ({ version, resources }))
    .sort((a, b) => compareVersions(a.version, b.version));
}

function discovered(definition: Definition, { subresources }: DefinitionVersion): ServedResource {
  const { group = "", scope, versions = [] } = definition.spec ?? {};
  const names = definition.status?.acceptedNames ?? {};
  const { kind = "" } = names;
  const stored = versions.find((one) => one.storage === true)?.name ?? "";
  const verbs = SUBRESOURCE_VERBS;
  return {
    resource: names.plural ?? "",
    kind,
    singular: names.singular ?? "",
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === "Namespaced",
    verbs: isTrue(definition, "Terminating") ? TERMINATING_VERBS : VERBS,
    subresources: [
      ...(subresources?.status === undefined ? [] : [{ name: "status", kind, verbs }]),
      ...(subresources?.scale === undefined
        ? []
        : [{ name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs }]),
    ],
    isCustom: true,
    storageVersionHash: storageVersionHash({ group, version: stored, kind }),
  };
}
