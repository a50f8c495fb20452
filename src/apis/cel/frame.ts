/**
 * What closures of an expression run with, and what planning them needs to know of each other.
 */
import type { CelNode } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { CelError, type CelValue } from "./values.ts";

/** The variables of a run. Undefined: there is none of the name. */
export type Activation = (name: string) => CelValue | undefined;

/** The state of one run. */
export class Frame {
  readonly slots: (CelValue | CelError)[] = [];
  readonly variables: Activation;
  readonly #limit: number;
  cost = 0;
  constructor(variables: Activation, limit: number) {
    this.variables = variables;
    this.#limit = limit;
  }
  /** Adds to the cost. Throws a CelError that nothing absorbs when the limit is passed. */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#limit) {
      throw new CelError("operation cancelled: actual cost limit exceeded", true);
    }
  }
}

export type Run = (frame: Frame) => CelValue;

/**
 * A planned node. `constant`: known without a run. `attribute`: a chain whose links cost one each;
 * "charged": its start cost one too, which upstream does not count below `?:` and as a key.
 */
export interface Planned {
  readonly run: Run;
  readonly constant?: CelValue;
  readonly attribute?: "charged" | "free";
}

/** A node's run where the start of a chain is not counted. */
export function uncharged({ run, attribute }: Planned): Run {
  if (attribute !== "charged") return run;
  return (frame) => {
    const value = run(frame);
    frame.charge(-1);
    return value;
  };
}

export function constant(value: CelValue): Planned {
  return { run: () => value, constant: value };
}

/** Plans the nodes below the one at hand. */
export interface Planning {
  readonly checked: Checked;
  plan(node: CelNode): Planned;
  /** Whether the node names a list or map that may be changed in place. */
  owns(node: CelNode | undefined): boolean;
}
