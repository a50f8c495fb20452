/**
 * The grammar of `?labelSelector=`. Error texts are upstream's, character by character; it looks
 * ahead one token and reads `in` and `notin` as words where a value may stand.
 * Upstream: apimachinery/pkg/labels/selector.go (Lexer, Parser).
 */
import { quote } from "../validation/field.ts";
import { isQualifiedName } from "../validation/names.ts";
import {
  type LabelOperator,
  type LabelRequirement,
  type LabelSelector,
  newRequirement,
  SelectorError,
  sortedByKey,
} from "./selector.ts";

type TokenKind = "word" | "in" | "notin" | "end" | "error" | SymbolKind;
type SymbolKind = "(" | ")" | "," | "!" | "=" | "==" | "!=" | ">" | "<";
interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const SYMBOLS: ReadonlySet<string> = new Set([")", ",", "!", "==", "=", ">", "<", "!=", "("]);
const END: Token = { kind: "end", text: "" };

/** Reads `a=b,c in (d, e),!f`. Throws SelectorError with upstream's text. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === "") return { requirements: [] };
  return { requirements: sortedByKey(new Parser(tokensOf(text)).parse()) };
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let rest = text;
  for (;;) {
    rest = rest.replace(/^[ \t\r\n]+/, "");
    // A NUL ends the text in upstream's lexer.
    if (rest === "" || rest.startsWith("\0")) return [...tokens, END];
    const special = /^[=!(),<>]+/.exec(rest)?.[0];
    const token = special === undefined ? wordToken(rest) : symbolToken(special);
    tokens.push(token.token);
    rest = rest.slice(token.length);
  }
}

function wordToken(rest: string): { token: Token; length: number } {
  const text = /^[^=!(),<> \t\r\n\0]*/.exec(rest)?.[0] ?? "";
  const kind = text === "in" || text === "notin" ? text : "word";
  return { token: { kind, text }, length: text.length };
}

/** The longest symbol that the run of special characters starts with. */
function symbolToken(run: string): { token: Token; length: number } {
  for (const length of [2, 1]) {
    const text = run.slice(0, length);
    if (!SYMBOLS.has(text)) continue;
    return { token: { kind: text as SymbolKind, text }, length: text.length };
  }
  return { token: { kind: "error", text: run }, length: run.length };
}

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end") return requirements;
      if (token.kind !== "word" && token.kind !== "!") {
        throw new SelectorError(
          `found '${token.text}', expected: !, identifier, or 'end of string'`,
        );
      }
      requirements.push(this.#requirementOrThrow());
      const next = this.#take();
      if (next.kind === "end") return requirements;
      if (next.kind !== ",") {
        throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      }
      const after = this.#peek();
      if (after.kind !== "word" && after.kind !== "!") {
        throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
      }
    }
  }

  /** The next token, where `in` and `notin` are words. */
  #peek(): Token {
    const token = this.#tokens[this.#position] ?? END;
    return token.kind === "in" || token.kind === "notin"
      ? { kind: "word", text: token.text }
      : token;
  }
  #take(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }

  #requirementOrThrow(): LabelRequirement {
    try {
      return this.#requirement();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#take();
    const negated = token.kind === "!";
    if (negated) token = this.#take();
    if (token.kind !== "word")
      throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const problems = isQualifiedName(key);
    if (problems.length > 0) {
      throw new SelectorError(`<nil>: Invalid value: ${quote(key)}: ${problems.join("; ")}`);
    }
    if (negated) return newRequirement(key, "DoesNotExist", []);
    const next = this.#peek().kind;
    if (next === "end" || next === ",") return newRequirement(key, "Exists", []);
    return this.#binary(key);
  }

  #binary(key: string): LabelRequirement {
    const token = this.#tokens[this.#position] ?? END;
    this.#position++;
    const operators: Partial<Record<TokenKind, LabelOperator>> = {
      in: "In",
      notin: "NotIn",
      "=": "In",
      "==": "In",
      "!=": "NotIn",
      ">": "Gt",
      "<": "Lt",
    };
    const operator = operators[token.kind];
    if (operator === undefined) {
      const expected = "in, notin, =, ==, !=, gt, lt";
      throw new SelectorError(`found '${token.text}', expected: ${expected}`);
    }
    if (token.kind === "in" || token.kind === "notin") {
      return newRequirement(key, operator, this.#values());
    }
    const value = this.#exactValue();
    const written = token.kind === "=" || token.kind === "==" || token.kind === "!=";
    return newRequirement(key, operator, [value], written ? (token.kind as "=") : undefined);
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next.kind === "end" || next.kind === ",") return "";
    this.#position++;
    if (next.kind === "word") return next.text;
    throw new SelectorError(`found '${next.text}', expected: identifier`);
  }

  #values(): string[] {
    const open = this.#take();
    if (open.kind !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ")") {
      this.#position++;
      return [""];
    }
    if (first.kind !== "word" && first.kind !== ",") {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#list();
    if (this.#take().kind !== ")") throw new SelectorError(`found '${first.text}', expected: ')'`);
    return [...values].sort();
  }

  /** Words and commas up to the closing bracket; nothing between commas is the empty value. */
  #list(): Set<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#take();
      const next = this.#peek();
      if (token.kind === "word") {
        values.add(token.text);
        if (next.kind === ")") return values;
        if (next.kind !== ",")
          throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.kind === ",") {
        if (values.size === 0) values.add("");
        if (next.kind === "," || next.kind === ")") values.add("");
        if (next.kind === ")") return values;
      } else throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
    }
  }
}
