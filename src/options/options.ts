/**
 * The command line, parsed once. What comes out is plain data that every thread gets as it is.
 * Upstream: cmd/kube-apiserver/app/options.
 */
import type { Brand } from "../apimachinery/brand.ts";
import { type FeatureGates, parseFeatureGates } from "./feature-gates.ts";
import type { FlagSpec } from "./flag-spec.ts";
import { type Flags, flagGroups, flagTable } from "./flags.ts";
import { parseFlags, UsageError } from "./pflag.ts";
import { parseRuntimeConfig, type RuntimeConfig } from "./runtime-config.ts";
import { unimplementedFlags } from "./unimplemented.ts";
import { validate } from "./validation.ts";

export interface ServerOptionsData {
  /** Every flag's value by its name; durations in milliseconds. */
  readonly flags: Flags;
  /** Names of the flags that were given. */
  readonly changed: ReadonlySet<string>;
  /** Feature gates that differ from their default: new FeatureGates(overrides).gate(name). */
  readonly featureGateOverrides: Readonly<Record<string, boolean>>;
  readonly runtimeConfig: RuntimeConfig;
  /** --authorization-mode with its default filled in. */
  readonly authorizationModes: readonly string[];
  /** False: --etcd-servers names a cluster's store. */
  readonly embedded: boolean;
  readonly standalone: boolean;
  readonly frontThreads: number;
  readonly workerThreads: number;
}
/** Made by parseOptions only: the combination of flags has been checked. */
export type ServerOptions = Brand<ServerOptionsData, "ServerOptions">;

export type Invocation =
  | { readonly kind: "help" }
  | { readonly kind: "version"; readonly form: string }
  | {
      readonly kind: "serve";
      readonly options: ServerOptions;
      readonly warnings: readonly string[];
    };

/** Throws UsageError with the text to print after `Error: `. `coresCount` sizes the threads. */
export function parseOptions(args: readonly string[], coresCount: number): Invocation {
  const parsed = parseFlags(flagTable, args);
  if (parsed.help) return { kind: "help" };
  const flags = parsed.values as Flags; // flagTable's specs made each value
  if (flags.version === "raw" || flags.version === "true") {
    return { kind: "version", form: flags.version };
  }
  const gates = parseFeatureGates(flags["feature-gates"]);
  const runtimeConfig = parseRuntimeConfig(flags["runtime-config"]);
  const errors = validate(flags, parsed.changed);
  if (errors.length === 1) throw new UsageError(errors[0] ?? "");
  if (errors.length > 1) throw new UsageError(`[${errors.join(", ")}]`);
  const options = derive(flags, parsed.changed, gates, runtimeConfig, coresCount);
  return { kind: "serve", options, warnings: [...parsed.deprecations, ...inert(parsed.changed)] };
}

function derive(
  flags: Flags,
  changed: ReadonlySet<string>,
  gates: FeatureGates,
  runtimeConfig: RuntimeConfig,
  coresCount: number,
): ServerOptions {
  const embedded = flags["etcd-servers"].length === 0;
  const modes = flags["authorization-mode"];
  // A server that made its own PKI knows its administrator: it need not let everyone do all.
  const defaultModes = embedded ? ["Node", "RBAC"] : ["AlwaysAllow"];
  const data: ServerOptionsData = {
    flags,
    changed,
    featureGateOverrides: gates.overrides,
    runtimeConfig,
    authorizationModes: modes.length === 0 ? defaultModes : modes,
    embedded,
    standalone: changed.has("standalone") ? flags.standalone : embedded,
    frontThreads: flags["front-threads"] || Math.max(1, coresCount - 1),
    workerThreads: flags["worker-threads"] || coresCount,
  };
  return data as ServerOptions;
}

function inert(changed: ReadonlySet<string>): string[] {
  return [...changed]
    .filter((name) => unimplementedFlags.has(name))
    .map((name) => `Flag --${name} has no effect yet in this server`);
}

/** Name and printed value of every flag, for the start-up log and /flagz. */
export function* printFlags(flags: Flags): Iterable<readonly [string, string]> {
  const values = flags as Readonly<Record<string, unknown>>;
  for (const [, table] of flagGroups) {
    for (const [name, spec] of Object.entries(table)) yield [name, printed(spec, values[name])];
  }
}

/** Strings without the quotes that `--help` gives them. */
function printed(spec: FlagSpec<unknown>, value: unknown): string {
  return typeof value === "string" ? value : spec.format(value);
}
