/**
 * Parses a command line by pflag's rules: `--flag=value`, `--flag value`, bare booleans,
 * `-v2`, `-v=2`, `-v 2`, repeated flags, `--` ends flags, `_` equals `-` in names.
 * Upstream: spf13/pflag and component-base/cli/flag.WordSepNormalizeFunc.
 */
import type { FlagSpec, FlagTable } from "./flag-spec.ts";

/** The command line can not be used: `Error: <message>` on stderr and exit 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface ParsedFlags {
  /** Every flag's value, the default when it was not given. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Flags that were given. */
  readonly changed: ReadonlySet<string>;
  /** `Flag --x has been deprecated, ...`, once a flag. */
  readonly deprecations: readonly string[];
  readonly help: boolean;
  /** What is no flag, in order. */
  readonly positional: readonly string[];
}

/** Throws UsageError with pflag's text for an unknown flag or a value that does not parse. */
export function parseFlags(table: FlagTable, args: readonly string[]): ParsedFlags {
  const parsed = parseCommand(table, args);
  if (parsed.positional.length === 0 || parsed.help) return parsed;
  const list = parsed.positional.map((arg) => JSON.stringify(arg)).join(" ");
  throw new UsageError(`"kube-apiserver" does not take any arguments, got [${list}]`);
}

/** As parseFlags, for a command that takes arguments. */
export function parseCommand(table: FlagTable, args: readonly string[]): ParsedFlags {
  const parser = new Parser(table);
  parser.run(args);
  return parser.result();
}

class Parser {
  readonly #table: FlagTable;
  readonly #given = new Map<string, unknown>();
  readonly #deprecations: string[] = [];
  readonly #positional: string[] = [];
  #help = false;

  constructor(table: FlagTable) {
    this.#table = table;
  }

  run(args: readonly string[]): void {
    const queue = [...args];
    for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
      if (arg === "--") {
        this.#positional.push(...queue);
        break;
      }
      if (arg.startsWith("--")) this.#long(arg, queue);
      else if (arg.startsWith("-") && arg.length > 1) this.#short(arg, queue);
      else this.#positional.push(arg);
    }
  }

  result(): ParsedFlags {
    const values: Record<string, unknown> = {};
    for (const [name, { fallback }] of Object.entries(this.#table)) {
      values[name] = this.#given.has(name) ? this.#given.get(name) : fallback;
    }
    const changed = new Set(this.#given.keys());
    const positional = this.#positional;
    return { values, changed, deprecations: this.#deprecations, help: this.#help, positional };
  }

  #long(arg: string, queue: string[]): void {
    const equals = arg.indexOf("=");
    const typed = arg.slice(2, equals === -1 ? undefined : equals);
    if (typed === "" || typed.startsWith("-")) throw new UsageError(`bad flag syntax: ${arg}`);
    const name = typed.replaceAll("_", "-");
    const spec = this.#lookup(name);
    if (spec === undefined) {
      if (name !== "help") throw new UsageError(`unknown flag: --${typed}`);
      this.#help = true;
      return;
    }
    if (equals !== -1) this.#set(name, spec, arg.slice(equals + 1));
    else this.#set(name, spec, spec.bare ?? this.#argument(queue, `--${typed}`));
  }

  #short(arg: string, queue: string[]): void {
    const letter = arg.charAt(1);
    const name = Object.keys(this.#table).find((key) => this.#table[key]?.shorthand === letter);
    const spec = name === undefined ? undefined : this.#lookup(name);
    if (name === undefined || spec === undefined) {
      if (letter !== "h") {
        throw new UsageError(`unknown shorthand flag: '${letter}' in ${arg}`);
      }
      this.#help = true;
      return;
    }
    const attached = arg.slice(2);
    if (attached === "") this.#set(name, spec, this.#argument(queue, `'${letter}' in ${arg}`));
    else this.#set(name, spec, attached.startsWith("=") ? attached.slice(1) : attached);
  }

  #lookup(name: string): FlagSpec<unknown> | undefined {
    return Object.hasOwn(this.#table, name) ? this.#table[name] : undefined;
  }
  #argument(queue: string[], shown: string): string {
    const argument = queue.shift();
    if (argument === undefined) throw new UsageError(`flag needs an argument: ${shown}`);
    return argument;
  }

  #set(name: string, spec: FlagSpec<unknown>, text: string): void {
    if (!this.#given.has(name) && spec.deprecated !== undefined) {
      this.#deprecations.push(`Flag --${name} has been deprecated, ${spec.deprecated}`);
    }
    try {
      this.#given.set(name, spec.parse(text, this.#given.get(name)));
    } catch (thrown) {
      const shown = spec.shorthand === undefined ? `--${name}` : `-${spec.shorthand}, --${name}`;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new UsageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${why}`);
    }
  }
}
