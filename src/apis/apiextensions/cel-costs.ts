/**
 * What the rules of a schema may cost at most, by the sizes the schema allows.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation/{validation,cel_validation}.go.
 */
import { type ErrorList, forbidden, type Path } from "../../apimachinery/validation/field.ts";
import { MOST } from "../cel/estimates.ts";
import type { Schema } from "./schema.ts";

/** Of one expression, everywhere in an object that it runs. */
const EXPRESSION_COST_MAX = 10_000_000;
/** Of all expressions of a schema together. */
const SCHEMA_COST_MAX = 100_000_000;
/** How many of the most expensive expressions a refusal names. */
const NAMED_MAX = 4;

interface Expensive {
  readonly at: Path;
  readonly cost: number;
}

/** Adds up the costs of one schema's expressions. */
export class SchemaCosts {
  readonly #isEachBounded: boolean;
  #total = 0;
  #expensive: Expensive[] = [];

  /** `isEachBounded`: false for a schema that is stored already, whose expressions stay. */
  constructor(isEachBounded: boolean) {
    this.#isEachBounded = isEachBounded;
  }

  /** Counts an expression; `name` is what the error calls its cost. */
  observe(name: string, at: Path, cost: number): ErrorList {
    this.#total = Math.min(MOST, this.#total + cost);
    if (cost >= SCHEMA_COST_MAX / 100) {
      const found = [...this.#expensive, { at, cost }].sort((a, b) => b.cost - a.cost);
      this.#expensive = found.slice(0, NAMED_MAX);
    }
    if (!this.#isEachBounded || cost <= EXPRESSION_COST_MAX) return [];
    return [forbidden(at, exceeds(name, cost, EXPRESSION_COST_MAX))];
  }

  /** Errors of the sum, once all expressions are counted; `at` is the schema's place. */
  sumErrors(at: Path): ErrorList {
    if (this.#total <= SCHEMA_COST_MAX) return [];
    const contributed =
      "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    const name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    return [
      ...this.#expensive.map((one) => forbidden(one.at, contributed)),
      forbidden(at, exceeds(name, this.#total, SCHEMA_COST_MAX)),
    ];
  }
}

function exceeds(name: string, cost: number, limit: number): string {
  const ratio = cost / limit;
  const small = ratio < 1.5 ? `${ratio.toFixed(6)}x` : `${ratio.toFixed(1)}x`;
  const factor = ratio > 100 ? "more than 100x" : small;
  return `${name} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/**
 * How many values an object can have of each child of a schema that itself has `own` at most.
 * Undefined: only the size of a request bounds them.
 */
export function childrenMax(schema: Schema, own: number | undefined): number | undefined {
  if (own === undefined) return undefined;
  const each = eachMax(schema);
  return each === undefined ? undefined : Math.min(MOST, own * each);
}

function eachMax(schema: Schema): number | undefined {
  const bounded = (max: number | undefined) => (max === undefined ? undefined : Math.max(0, max));
  if (schema.type === "array") return bounded(schema.maxItems);
  if (schema.type !== "object") return 0;
  return schema.additionalProperties === undefined ? 1 : bounded(schema.maxProperties);
}
