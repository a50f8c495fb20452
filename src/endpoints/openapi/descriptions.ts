/**
 * The texts of types and fields. They are no part of the sources: a build step may write them into
 * the build folder; without it the documents have no descriptions.
 */
import { readFileSync } from "node:fs";

export interface Descriptions {
  /** By the definition's name, `io.k8s.api.core.v1.Pod`. */
  type(name: string): string | undefined;
  field(name: string, json: string): string | undefined;
  /** Of a query or path parameter: `limit`, `patch/fieldManager`, `PodExec/container`. */
  parameter(key: string): string | undefined;
}

/** For builds without texts. */
export const noDescriptions: Descriptions = {
  type: () => undefined,
  field: () => undefined,
  parameter: () => undefined,
};

/**
 * Texts by definition: the key "" is the type's own, others are JSON names of fields. Those of
 * parameters stand under "parameters".
 */
export type DescriptionTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Descriptions out of a table as the build writes it. */
export function descriptionsOf(table: DescriptionTable): Descriptions {
  const text = (name: string, key: string) => {
    const texts = Object.hasOwn(table, name) ? table[name] : undefined;
    return texts !== undefined && Object.hasOwn(texts, key) ? texts[key] : undefined;
  };
  return {
    type: (name) => text(name, ""),
    field: text,
    parameter: (key) => text("parameters", key),
  };
}

/** Reads a table that scripts/openapi-descriptions.mjs wrote; without the file there are no texts. */
export function loadDescriptions(path: string): Descriptions {
  try {
    return descriptionsOf(JSON.parse(readFileSync(path, "utf8")) as DescriptionTable);
  } catch {
    // Built without the texts: the documents do without.
    return noDescriptions;
  }
}
