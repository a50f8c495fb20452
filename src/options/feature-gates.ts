/** Feature gates: defaults, and what --feature-gates changes. Upstream: component-base/featuregate. */

import { featureGateTable, type Stage } from "./feature-gate-table.ts";
import { parseBool } from "./flag-spec.ts";
import { UsageError } from "./pflag.ts";

interface Gate {
  readonly fallback: boolean;
  readonly stage: Stage;
  readonly locked: boolean;
}
const known = new Map<string, Gate>(
  featureGateTable.map(([name, fallback, stage, locked]) => [name, { fallback, stage, locked }]),
);

/** The gates of one server. Plain data crosses threads: see overrides. */
export class FeatureGates {
  /** Gates that differ from their default. */
  readonly overrides: Readonly<Record<string, boolean>>;

  constructor(overrides: Readonly<Record<string, boolean>> = {}) {
    this.overrides = overrides;
  }
  /** Whether `name` is on. Throws for a gate this version does not know: that is a typo of ours. */
  gate(name: string): boolean {
    const gate = known.get(name);
    if (gate === undefined) throw new Error(`no such feature gate: ${name}`);
    return this.overrides[name] ?? gate.fallback;
  }
  /** Name, stage and state of each gate, for kubernetes_feature_enabled and /flagz. */
  *all(): Iterable<{ name: string; stage: Stage; enabled: boolean }> {
    for (const [name, { stage }] of known) yield { name, stage, enabled: this.gate(name) };
  }
}

/**
 * Reads `[component:]Gate=bool,...`; AllAlpha and AllBeta stand for every gate of that stage that
 * is not named itself. Throws UsageError for unknown gates and locked ones set otherwise.
 */
export function parseFeatureGates(text: string): FeatureGates {
  const named = new Map<string, boolean>();
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "") continue;
    const pair = part.slice(part.lastIndexOf(":") + 1);
    const equals = pair.indexOf("=");
    if (equals === -1) throw new UsageError(`missing bool value for ${pair}`);
    const name = pair.slice(0, equals).trim();
    named.set(name, gateValue(name, pair.slice(equals + 1).trim()));
  }
  const overrides: Record<string, boolean> = {};
  for (const [all, stage] of [
    ["AllAlpha", "ALPHA"],
    ["AllBeta", "BETA"],
  ] as const) {
    const value = named.get(all);
    named.delete(all);
    if (value === undefined) continue;
    for (const [name, gate] of known) {
      if (gate.stage === stage && !gate.locked && gate.fallback !== value) overrides[name] = value;
    }
  }
  for (const [name, value] of named) {
    const gate = known.get(name);
    if (gate === undefined) throw new UsageError(`unrecognized feature gate: ${name}`);
    if (gate.locked && gate.fallback !== value) {
      const lock = `feature is locked to ${gate.fallback}`;
      throw new UsageError(`cannot set feature gate ${name} to ${value}, ${lock}`);
    }
    if (value === gate.fallback) delete overrides[name];
    else overrides[name] = value;
  }
  return new FeatureGates(overrides);
}

function gateValue(name: string, text: string): boolean {
  try {
    return parseBool(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new UsageError(`invalid value of ${name}=${text}, err: ${why}`);
  }
}
