/**
 * Which API versions and resources are served. Upstream: apiserver/pkg/server/options
 * api_enablement.go, apiserver/pkg/server/resourceconfig and cli/flag ConfigurationMap.
 */
import { type BuiltInResource, resourceTables } from "../apis/resources.ts";
import type { StringMap } from "./flag-spec.ts";
import { parseBool } from "./flag-spec.ts";
import { UsageError } from "./pflag.ts";

/** What --runtime-config asked for, in order of precedence: resource, version, class, default. */
export interface RuntimeConfig {
  /** `apps/v1`, `v1`, `apps/v1/deployments`, `api/beta` to on or off. */
  readonly switches: Readonly<Record<string, boolean>>;
}

const CLASSES = new Set(["api/all", "api/ga", "api/beta", "api/alpha"]);

/** Throws UsageError with upstream's text for keys and values it does not know. */
export function parseRuntimeConfig(flag: StringMap): RuntimeConfig {
  if (Object.keys(flag).length === 0) return { switches: {} };
  const { resources } = resourceTables();
  const versions = new Set(resources.map(({ group, version }) => groupVersion(group, version)));
  const groups = new Set(resources.map(({ group }) => group));
  const switches: Record<string, boolean> = {};
  for (const [key, text] of Object.entries(flag)) {
    if (key === "api/legacy") {
      throw new UsageError(
        "runtime-config: api/legacy is deprecated and can no longer be used to disable resources",
      );
    }
    switches[key] = switchValue(key, text);
    if (CLASSES.has(key)) continue;
    const parts = key.split("/");
    const version = parts[0] === "v1" ? "v1" : parts.slice(0, 2).join("/");
    if (parts.length > 3) throw new UsageError(`runtime-config invalid key ${key}`);
    if (versions.has(version)) continue;
    const group = parts[0] ?? "";
    const isKnown = groups.has(group) && parts.length > 1;
    if (!isKnown) throw new UsageError(`unknown api groups ${group}`);
    // A version of a known group that is not served (any more): upstream lets it pass.
  }
  return { switches };
}

function switchValue(key: string, text: string): boolean {
  if (text === "") return true;
  try {
    return parseBool(text);
  } catch {
    throw new UsageError(`invalid value of ${key}=${text}`);
  }
}
const groupVersion = (group: string, version: string) =>
  group === "" ? version : `${group}/${version}`;

type Served = Pick<BuiltInResource, "group" | "version" | "resource" | "default">;

/** Whether a built-in resource is served. The most specific switch decides. */
export function isServed(config: RuntimeConfig, of: Served): boolean {
  const { group, version, resource } = of;
  const name = groupVersion(group, version);
  const stage = version.includes("alpha") ? "alpha" : version.includes("beta") ? "beta" : "ga";
  return (
    config.switches[`${name}/${resource}`] ??
    config.switches[name] ??
    config.switches[`api/${stage}`] ??
    config.switches["api/all"] ??
    of.default
  );
}
