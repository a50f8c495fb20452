/**
 * Parses CEL expressions, with cel-go's words for the commonest mistakes.
 * Grammar: google/cel-spec doc/langdef.md; error texts: ANTLR as cel-go configures it.
 */
import type { CelNode, Literal, MapEntry, MessageField } from "./ast.ts";
import { type CelIssue, type Token, tokenize } from "./lexer.ts";
import { bytesLiteral, intLiteral, stringLiteral, uintLiteral } from "./literals.ts";
import { expandMacro } from "./macros.ts";

const RESERVED = new Set(
  "as break const continue else for function if import in let loop namespace package return var void while".split(
    " ",
  ),
);
const EXPRESSION_START =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const CALL_START = EXPRESSION_START.replace("'(', ", "'(', ')', ");
/** Nesting beyond this is refused, as cel-go does. */
const MAX_DEPTH = 250;

class ParseFailure extends Error {
  readonly issue: CelIssue;
  constructor(issue: CelIssue) {
    super(issue.message);
    this.issue = issue;
  }
}

/** The tree, or what is wrong with the text; `bindings`: whether cel.bind() is there. Never throws. */
export function parseCel(text: string, bindings = false): CelNode | readonly CelIssue[] {
  const { tokens, issues } = tokenize(text);
  try {
    const tree = new Parser(tokens, bindings).parse();
    return issues.length > 0 ? issues : tree;
  } catch (thrown) {
    if (thrown instanceof ParseFailure) return [...issues, thrown.issue];
    throw thrown;
  }
}

const CLOSING = new Set([")", "]"]);
const RELATIONS = ["<", "<=", ">=", ">", "==", "!="];

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  readonly #bindings: boolean;
  constructor(tokens: readonly Token[], bindings: boolean) {
    this.#tokens = tokens;
    this.#bindings = bindings;
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
    if (found.kind === "eof" && CLOSING.has(text)) {
      throw this.#failure(found, `missing '${text}' at '${found.text}'`);
    }
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
      // Two signs of a kind cancel out, as cel-go's parser has it.
      if (this.#accept(token.text) !== undefined) return this.#unary();
      const next = this.#peek();
      if (token.text === "-" && (next.kind === "int" || next.kind === "double")) {
        return this.#member(this.#literal(this.#take(), token));
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
      throw new ParseFailure({ at: name.at, message: "unsupported syntax: '`'" });
    }
    if (name.kind !== "ident" || ["true", "false", "null", "in"].includes(name.text)) {
      if (name.kind === "eof" || name.kind === "op") {
        throw this.#failure(name, `no viable alternative at input '.${eofText(name)}'`);
      }
      throw this.#failure(name, `mismatched input '${name.text}' expecting IDENTIFIER`);
    }
    this.#take();
    const open = this.#accept("(");
    if (open === undefined) return select(dot.at, operand, name.text, optional);
    return this.#expanded(open.at, name.text, operand, this.#list(")").items);
  }

  /** A call, or what its macro stands for. */
  #expanded(
    at: number,
    name: string,
    target: CelNode | undefined,
    args: readonly CelNode[],
  ): CelNode {
    const node = expandMacro({ kind: "call", at, name, target, args }, this.#bindings);
    if ("message" in node) throw new ParseFailure(node);
    return node;
  }

  #list(close: string): { items: CelNode[]; optional: Set<number> } {
    const items: CelNode[] = [];
    const optional = new Set<number>();
    while (!this.#is(close)) {
      if (items.length > 0 && close === "]" && this.#peek().kind === "eof") break;
      if (close === ")" && items.length === 0 && this.#peek().kind === "eof") {
        throw this.#failure(this.#peek(), `mismatched input '<EOF>' expecting ${CALL_START}`);
      }
      if (close === "]" && this.#accept("?") !== undefined) optional.add(items.length);
      items.push(this.#expr());
      if (this.#accept(",") === undefined) break;
      if (close === ")" && this.#is(close)) {
        throw this.#failure(this.#peek(), `mismatched input ')' expecting ${EXPRESSION_START}`);
      }
    }
    this.#expect(close);
    return { items, optional };
  }

  #primary(): CelNode {
    const token = this.#peek();
    switch (token.kind) {
      case "int":
      case "uint":
      case "double":
      case "string":
      case "bytes":
        return this.#literal(this.#take(), undefined);
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

  /** A number's, string's or bytes' literal; `sign`: the minus in front of it. */
  #literal(token: Token, sign: Token | undefined): CelNode {
    const at = (sign ?? token).at;
    const value = literalValue(token, sign === undefined ? token.text : `-${token.text}`);
    if (value !== undefined) return { kind: "literal", at, value };
    const isNumber = token.kind === "int" || token.kind === "uint" || token.kind === "double";
    const message = isNumber ? `invalid ${token.kind} literal` : "invalid unicode code point";
    throw new ParseFailure({ at, message });
  }

  #identifier(): CelNode {
    const token = this.#take();
    const { text, at } = token;
    if (text === "true" || text === "false") return { kind: "literal", at, value: text === "true" };
    if (text === "null") return { kind: "literal", at, value: null };
    if (text === "in") {
      throw this.#failure(token, `mismatched input 'in' expecting ${EXPRESSION_START}`);
    }
    if (RESERVED.has(text)) {
      throw new ParseFailure({ at, message: `reserved identifier: ${text}` });
    }
    const open = this.#accept("(");
    if (open !== undefined) {
      return this.#expanded(open.at, text, undefined, this.#list(")").items);
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
    const fields: MessageField[] = [];
    while (!this.#is("}")) {
      const optional = this.#accept("?") !== undefined;
      const field = this.#take();
      if (field.kind !== "ident" && field.kind !== "quoted") {
        throw this.#failure(field, `extraneous input '${field.text}' expecting {'}', ','}`);
      }
      const { at } = this.#expect(":");
      const name = field.kind === "quoted" ? field.text.slice(1, -1) : field.text;
      fields.push({ at, name, value: this.#expr(), optional });
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
        return { kind: "list", at: token.at, ...this.#list("]") };
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

  #entries(): MapEntry[] {
    const entries: MapEntry[] = [];
    while (!this.#is("}")) {
      const optional = this.#accept("?") !== undefined;
      const key = this.#expr();
      const { at } = this.#expect(":");
      entries.push({ at, key, value: this.#expr(), optional });
      if (this.#accept(",") === undefined) break;
    }
    this.#expect("}");
    return entries;
  }
}

function literalValue(token: Token, text: string): Literal | undefined {
  switch (token.kind) {
    case "int":
      return intLiteral(text);
    case "uint":
      return text.startsWith("-") ? undefined : uintLiteral(text);
    case "double": {
      const value = Number(text);
      return Number.isFinite(value) ? value : undefined;
    }
    case "string":
      return stringLiteral(text);
    default:
      return bytesLiteral(text);
  }
}

function select(at: number, operand: CelNode, field: string, optional: boolean): CelNode {
  if (!optional) return { kind: "select", at, operand, field, test: false };
  return call(at, "_?._", [operand, { kind: "literal", at, value: field }]);
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
