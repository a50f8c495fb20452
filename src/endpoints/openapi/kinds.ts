/** Kinds that operations name, as structs of the tables. */
import type { JsonObject } from "../../apimachinery/runtime/json.ts";
import type { StructSchema } from "../../apimachinery/runtime/type-schema.ts";
import { schemaForKind } from "../../apis/schemas.ts";

/** The struct of a kind; undefined for kinds that are not built in. */
export function structOfKind(gvk: {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}): StructSchema | undefined {
  return schemaForKind(gvk);
}

const VERSION_FIELDS = [
  "buildDate",
  "compiler",
  "emulationMajor",
  "emulationMinor",
  "gitCommit",
  "gitTreeState",
  "gitVersion",
  "goVersion",
  "major",
  "minCompatibilityMajor",
  "minCompatibilityMinor",
  "minor",
  "platform",
];

/** `version.Info`, which `/version` answers with. */
export const versionInfo: JsonObject = {
  properties: Object.fromEntries(VERSION_FIELDS.map((name) => [name, { type: "string" }])),
  required: [
    "major",
    "minor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
  ],
  type: "object",
};
