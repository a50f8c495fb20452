/**
 * Parses CEL expressions, with cel-go's words for the commonest mistakes.
 * Grammar: google/cel-spec doc/langdef.md; error texts: ANTLR as cel-go configures it.
 */
import { type CelIssue, type Token, tokenize } from "./lexer.ts";

/** A node; `at` is where cel-go places it: an operator's, a dot's or a parenthesis' position. */
export type CelNode =
  | { readonly kind: "literal"; readonly at: number; readonly type: CelLiteral }
  | { readonly kind: "ident"; readonly at: number; readonly name: string }
  | {
      readonly kind: "select";
      readonly at: number;
      readonly operand: CelNode;
      readonly field: string;
      readonly optional: boolean;
    }
  | {
      readonly kind: "call";
      readonly at: number;
      readonly name: string;
      readonly target: CelNode | undefined;
      readonly args: readonly CelNode[];
    }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly CelNode[] }
  | {
      readonly kind: "map";
      readonly at: number;
      readonly entries: readonly (readonly [CelNode, CelNode])[];
    }
  | {
      readonly kind: "message";
      readonly at: number;
      readonly name: string;
      readonly fields: readonly (readonly [string, CelNode])[];
    };

export type CelLiteral = "int" | "uint" | "double" | "string" | "bytes" | "bool" | "null";

const RESERVED = new Set(
  "as break const continue else for function if import in let loop namespace package return var void while".split(
    " ",
  ),
);
const EXPRESSION_START =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/** Nesting beyond this is refused, as cel-go does. */
const MAX_DEPTH = 250;

class ParseFailure extends Error {
  readonly issue: CelIssue;
  constructor(issue: CelIssue) {
    super(issue.message);
    this.issue = issue;
  }
}

/** The tree, or what is wrong with the text. Never throws. */
export function parseCel(text: string): CelNode | readonly CelIssue[] {
  const { tokens, issues } = tokenize(text);
  if (issues.length > 0) return issues;
  try {
    return new Parser(tokens).parse();
  } catch (thrown) {
    if (thrown instanceof ParseFailure) return [thrown.issue];
    throw thrown;
  }
}

const RELATIONS = ["<", "<=", ">=", ">", "==", "!="];

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): CelNode {
    const node = this.#expr();
    const rest = this.#peek();
    if (rest.kind === "eof") return node;
    const single = this.#tokens[this.#next + 1]?.kind === "eof";
    const lead = single ? "extraneous" : "mismatched";
    throw this.#failure(rest, `${lead} input '${rest.text}' expecting <EOF>`);
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== "eof") this.#next++;
    return token;
  }

  #is(text: string): boolean {
    const token = this.#peek();
    return (token.kind === "op" || token.kind === "ident") && token.text === text;
  }

  #accept(text: string): Token | undefined {
    return this.#is(text) ? this.#take() : undefined;
  }

  #expect(text: string): Token {
    const token = this.#accept(text);
    if (token !== undefined) return token;
    const found = this.#peek();
    throw this.#failure(found, `mismatched input '${found.text}' expecting '${text}'`);
  }

  #failure(token: Token, message: string): ParseFailure {
    return new ParseFailure({ at: token.at, message: `Syntax error: ${message}` });
  }

  #expr(): CelNode {
    if (++this.#depth > MAX_DEPTH) {
      const message = `expression recursion limit exceeded: ${MAX_DEPTH}`;
      throw new ParseFailure({ at: this.#peek().at, message });
    }
    const condition = this.#or();
    const question = this.#accept("?");
    this.#depth--;
    if (question === undefined) return condition;
    const yes = this.#or();
    this.#expect(":");
    const no = this.#expr();
    return call(question.at, "_?_:_", [condition, yes, no]);
  }

  #or(): CelNode {
    return this.#binary(["||"], () => this.#binary(["&&"], () => this.#relation()));
  }

  #relation(): CelNode {
    let left = this.#sum();
    for (;;) {
      const token = this.#peek();
      const isRelation = token.kind === "op" && RELATIONS.includes(token.text);
      if (!isRelation && !(token.kind === "ident" && token.text === "in")) return left;
      this.#take();
      left = call(token.at, operatorName(token.text), [left, this.#sum()]);
    }
  }

  #sum(): CelNode {
    return this.#binary(["+", "-"], () => this.#binary(["*", "/", "%"], () => this.#unary()));
  }

  #binary(operators: readonly string[], operand: () => CelNode): CelNode {
    let left = operand();
    for (;;) {
      const token = this.#peek();
      if (token.kind !== "op" || !operators.includes(token.text)) return left;
      this.#take();
      left = call(token.at, operatorName(token.text), [left, operand()]);
    }
  }

  #unary(): CelNode {
    const token = this.#peek();
    if (token.kind === "op" && (token.text === "!" || token.text === "-")) {
      this.#take();
      const next = this.#peek();
      if (token.text === "-" && (next.kind === "int" || next.kind === "double")) {
        return this.#member(this.#primary());
      }
      if (++this.#depth > MAX_DEPTH) {
        throw this.#failure(token, `expression recursion limit exceeded: ${MAX_DEPTH}`);
      }
      const operand = this.#unary();
      this.#depth--;
      return call(token.at, token.text === "!" ? "!_" : "-_", [operand]);
    }
    return this.#member(this.#primary());
  }

  #member(start: CelNode): CelNode {
    let node = start;
    for (;;) {
      const dot = this.#accept(".");
      if (dot !== undefined) {
        const optional = this.#accept("?") !== undefined;
        node = this.#selectOrCall(node, dot, optional);
        continue;
      }
      const bracket = this.#accept("[");
      if (bracket === undefined) return node;
      const optional = this.#accept("?") !== undefined;
      const index = this.#expr();
      this.#expect("]");
      node = call(bracket.at, optional ? "_[?_]" : "_[_]", [node, index]);
    }
  }

  #selectOrCall(operand: CelNode, dot: Token, optional: boolean): CelNode {
    const name = this.#peek();
    if (name.kind === "quoted") {
      this.#take();
      const field = name.text.slice(1, -1);
      return { kind: "select", at: dot.at, operand, field, optional };
    }
    if (name.kind !== "ident" || ["true", "false", "null", "in"].includes(name.text)) {
      if (name.kind === "eof" || name.kind === "op") {
        throw this.#failure(name, `no viable alternative at input '.${eofText(name)}'`);
      }
      throw this.#failure(name, `mismatched input '${name.text}' expecting IDENTIFIER`);
    }
    this.#take();
    const open = this.#accept("(");
    if (open === undefined)
      return { kind: "select", at: dot.at, operand, field: name.text, optional };
    const args = this.#list(")");
    return { kind: "call", at: open.at, name: name.text, target: operand, args };
  }

  #list(close: string): CelNode[] {
    const items: CelNode[] = [];
    while (!this.#is(close)) {
      if (close === "]") this.#accept("?");
      items.push(this.#expr());
      if (this.#accept(",") === undefined) break;
      if (close === ")" && this.#is(close)) {
        throw this.#failure(this.#peek(), `mismatched input ')' expecting ${EXPRESSION_START}`);
      }
    }
    this.#expect(close);
    return items;
  }

  #primary(): CelNode {
    const token = this.#peek();
    switch (token.kind) {
      case "int":
      case "uint":
      case "double":
      case "string":
      case "bytes":
        this.#take();
        return { kind: "literal", at: token.at, type: token.kind };
      case "ident":
        return this.#identifier();
      case "op":
        return this.#bracketed(token);
      default:
        throw this.#failure(
          token,
          `mismatched input '${token.text}' expecting ${EXPRESSION_START}`,
        );
    }
  }

  #identifier(): CelNode {
    const token = this.#take();
    const { text, at } = token;
    if (text === "true" || text === "false") return { kind: "literal", at, type: "bool" };
    if (text === "null") return { kind: "literal", at, type: "null" };
    if (text === "in") {
      throw this.#failure(token, `mismatched input 'in' expecting ${EXPRESSION_START}`);
    }
    if (RESERVED.has(text)) {
      throw new ParseFailure({ at, message: `reserved identifier: ${text}` });
    }
    const open = this.#accept("(");
    if (open !== undefined) {
      return { kind: "call", at: open.at, name: text, target: undefined, args: this.#list(")") };
    }
    const message = this.#messageAfter(text);
    return message ?? { kind: "ident", at, name: text };
  }

  /** `Object.spec{...}`: dots and names up to a brace make the name of a message type. */
  #messageAfter(first: string): CelNode | undefined {
    let ahead = this.#next;
    let name = first;
    while (this.#tokens[ahead]?.text === "." && this.#tokens[ahead + 1]?.kind === "ident") {
      name += `.${this.#tokens[ahead + 1]?.text}`;
      ahead += 2;
    }
    const open = this.#tokens[ahead];
    if (open?.kind !== "op" || open.text !== "{") return undefined;
    this.#next = ahead + 1;
    const fields: [string, CelNode][] = [];
    while (!this.#is("}")) {
      this.#accept("?");
      const field = this.#take();
      if (field.kind !== "ident" && field.kind !== "quoted") {
        throw this.#failure(field, `extraneous input '${field.text}' expecting {'}', ','}`);
      }
      this.#expect(":");
      fields.push([field.text, this.#expr()]);
      if (this.#accept(",") === undefined) break;
    }
    this.#expect("}");
    return { kind: "message", at: open.at, name, fields };
  }

  #bracketed(token: Token): CelNode {
    switch (token.text) {
      case "(": {
        this.#take();
        const inner = this.#expr();
        this.#expect(")");
        return inner;
      }
      case "[":
        this.#take();
        return { kind: "list", at: token.at, items: this.#list("]") };
      case "{":
        this.#take();
        return { kind: "map", at: token.at, entries: this.#entries() };
      case ".": {
        this.#take();
        if (this.#peek().kind === "ident") return this.#identifier();
        const found = this.#peek();
        throw this.#failure(found, `no viable alternative at input '.${eofText(found)}'`);
      }
      default:
        throw this.#failure(
          token,
          `mismatched input '${token.text}' expecting ${EXPRESSION_START}`,
        );
    }
  }

  #entries(): (readonly [CelNode, CelNode])[] {
    const entries: (readonly [CelNode, CelNode])[] = [];
    while (!this.#is("}")) {
      this.#accept("?");
      const key = this.#expr();
      this.#expect(":");
      entries.push([key, this.#expr()]);
      if (this.#accept(",") === undefined) break;
    }
    this.#expect("}");
    return entries;
  }
}

function eofText(token: Token): string {
  return token.kind === "eof" ? "" : token.text;
}

function operatorName(text: string): string {
  return text === "in" ? "@in" : `_${text}_`;
}

function call(at: number, name: string, args: readonly CelNode[]): CelNode {
  return { kind: "call", at, name, target: undefined, args };
}
