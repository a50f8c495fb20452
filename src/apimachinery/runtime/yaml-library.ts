/** The package `yaml`, loaded with the first text that needs it: a start does not wait for it. */
import { createRequire } from "node:module";
import type * as Yaml from "yaml";

let loaded: typeof Yaml | undefined;

export function yamlLibrary(): typeof Yaml {
  loaded ??= createRequire(import.meta.url)("yaml") as typeof Yaml;
  return loaded;
}

/** The value of a YAML file of settings, as YAML 1.2 reads it. Throws YAMLParseError. */
export function parseYaml(text: string): unknown {
  return yamlLibrary().parse(text) as unknown;
}
