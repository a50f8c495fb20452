/**
 * The part of kubectl's JSONPath that columns of custom resources use: names, indexes, slices,
 * wildcards, recursion and filters. Upstream: client-go/util/jsonpath.
 */
import { isJsonObject } from "../../apimachinery/runtime/json.ts";

type Json = unknown;

/** Finds values, in order; throws nothing: what is missing is left out. */
export type JsonPath = (root: Json) => Json[];

type Step = (values: readonly Json[]) => Json[];

/** Compiles `.spec.a[0]`; undefined for a text that is no path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  let rest = text.startsWith("$") ? text.slice(1) : text;
  while (rest !== "") {
    const parsed = nextStep(rest);
    if (parsed === undefined) return undefined;
    steps.push(parsed.step);
    rest = rest.slice(parsed.length);
  }
  return (root) => steps.reduce<Json[]>((values, step) => step(values), [root]);
}

interface Parsed {
  readonly step: Step;
  readonly length: number;
}

function nextStep(text: string): Parsed | undefined {
  const recursive = /^\.\.(\*|(?:[^.[\]\\]|\\.)+)/.exec(text);
  if (recursive !== null) {
    const name = unescaped(recursive[1] ?? "");
    return {
      step: (values) => values.flatMap(everything).flatMap(member(name)),
      length: recursive[0].length,
    };
  }
  const named = /^\.(\*|(?:[^.[\]\\]|\\.)+)/.exec(text);
  if (named !== null) {
    const name = unescaped(named[1] ?? "");
    return { step: (values) => values.flatMap(member(name)), length: named[0].length };
  }
  if (text === ".") return { step: (values) => [...values], length: 1 };
  return text.startsWith("[") ? bracket(text) : undefined;
}

const unescaped = (name: string) => name.replace(/\\(.)/g, "$1");

const everything = (value: Json): Json[] => {
  if (Array.isArray(value)) return [value, ...value.flatMap(everything)];
  return isJsonObject(value) ? [value, ...Object.values(value).flatMap(everything)] : [value];
};

const member =
  (name: string) =>
  (value: Json): Json[] => {
    if (name === "*")
      return Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
    return isJsonObject(value) && Object.hasOwn(value, name) ? [value[name]] : [];
  };

function bracket(text: string): Parsed | undefined {
  const quoted = /^\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/.exec(text);
  if (quoted !== null) {
    const name = unescaped(quoted[1] ?? quoted[2] ?? "");
    return { step: (values) => values.flatMap(member(name)), length: quoted[0].length };
  }
  if (text.startsWith("[*]")) return { step: (values) => values.flatMap(member("*")), length: 3 };
  const slice = /^\[(-?\d*)(?::(-?\d*))?(?::(\d*))?\]/.exec(text);
  if (slice !== null) return { step: sliceStep(slice), length: slice[0].length };
  const filter = /^\[\?\(\s*(.+?)\s*\)\]/.exec(text);
  if (filter === null) return undefined;
  const test = parseFilter(filter[1] ?? "");
  if (test === undefined) return undefined;
  const keep = (value: Json) => (Array.isArray(value) ? value.filter(test) : []);
  return { step: (values) => values.flatMap(keep), length: filter[0].length };
}

function sliceStep([whole, from = "", to, every]: RegExpExecArray): Step {
  const isIndex = !whole.includes(":");
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) return [];
      const at = (index: number) => (index < 0 ? index + value.length : index);
      if (isIndex) {
        const index = at(Number(from));
        return index >= 0 && index < value.length ? [value[index]] : [];
      }
      const end = to === undefined || to === "" ? value.length : at(Number(to));
      const step = every === undefined || every === "" ? 1 : Number(every);
      return value.slice(at(Number(from)), end).filter((_, i) => step > 0 && i % step === 0);
    });
}

function parseFilter(text: string): ((item: Json) => boolean) | undefined {
  const parts = /^(@[^=!<>]*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/.exec(text);
  if (parts === null) return undefined;
  const left = parseJsonPath((parts[1] ?? "@").slice(1));
  if (left === undefined) return undefined;
  const [, , operator, operand = ""] = parts;
  if (operator === undefined) return (item) => left(item).length > 0;
  const right = operandOf(operand.trim());
  if (right === undefined) return undefined;
  return (item) => {
    const [found] = left(item);
    const wanted = right(item);
    if (found === undefined || wanted === undefined) return false;
    return compare(found, operator, wanted);
  };
}

function operandOf(text: string): ((item: Json) => Json) | undefined {
  const quoted = /^(['"])(.*)\1$/.exec(text);
  if (quoted !== null) return () => unescaped(quoted[2] ?? "");
  if (text === "true" || text === "false") return () => text === "true";
  if (text.startsWith("@")) {
    const path = parseJsonPath(text.slice(1));
    return path && ((item) => path(item)[0]);
  }
  const number = Number(text);
  return Number.isNaN(number) ? undefined : () => number;
}

function compare(left: Json, operator: string, right: Json): boolean {
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left !== typeof right) return false;
  const [a, b] = [left as number, right as number];
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}
