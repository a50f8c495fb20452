/**
 * Whether mutating plugins have to run again because a later one changed the object.
 * Upstream: apiserver/pkg/admission/reinvocation.go, webhook/mutating/reinvocationcontext.go.
 */
import type { Attributes, DeepReadonly } from "../plugin.ts";

/** The state of one request's mutating phase. */
export interface Reinvocation {
  /** Set while plugins run for the second time. */
  again: boolean;
  /** A dynamic plugin changed the object: run again. */
  wanted: boolean;
  /** Of each plugin: what ran and would run again, what has to, and the object it left. */
  readonly plugins: Map<string, PluginRound>;
}

export interface PluginRound {
  readonly ran: Set<string>;
  readonly due: Set<string>;
  left: string;
}

const states = new WeakMap<DeepReadonly<Attributes>, Reinvocation>();

export function reinvocationOf(attributes: DeepReadonly<Attributes>): Reinvocation {
  const known = states.get(attributes);
  if (known !== undefined) return known;
  const made: Reinvocation = { again: false, wanted: false, plugins: new Map() };
  states.set(attributes, made);
  return made;
}

/** Whether a second round was asked for; no state is made by asking. */
export function wantsReinvocation(attributes: DeepReadonly<Attributes>): boolean {
  return states.get(attributes)?.wanted ?? false;
}

/** The plugin's part; on the second round, all that ran is due when others changed the object. */
export function beginRound(attributes: DeepReadonly<Attributes>, plugin: string): PluginRound {
  const state = reinvocationOf(attributes);
  const known = state.plugins.get(plugin);
  const round = known ?? { ran: new Set<string>(), due: new Set<string>(), left: "" };
  state.plugins.set(plugin, round);
  if (state.again && round.ran.size > 0 && JSON.stringify(attributes.object) !== round.left)
    requireAll(round);
  return round;
}

/** All that ran before has to run again. */
export function requireAll(round: PluginRound): void {
  for (const key of round.ran) round.due.add(key);
  round.ran.clear();
}

export function endRound(attributes: DeepReadonly<Attributes>, round: PluginRound): void {
  // Only what ran and would run again asks for it.
  if (round.ran.size > 0) round.left = JSON.stringify(attributes.object);
}
