/** The tokens of a CEL expression. Grammar: google/cel-spec doc/langdef.md. */
export type TokenKind =
  | "ident"
  | "quoted"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "op"
  | "eof";

export interface Token {
  readonly kind: TokenKind;
  /** As written; `<EOF>` at the end. */
  readonly text: string;
  /** Code point offset in the expression. */
  readonly at: number;
}

/** What is wrong, and where. */
export interface CelIssue {
  readonly at: number;
  readonly message: string;
}

const OPERATORS = ["==", "!=", "<=", ">=", "&&", "||", ..."<>+-*/%!?:.,()[]{}"];

const STRING =
  /^([rR][bB]?|[bB][rR]?)?("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n\r]|\\(?:[abfnrtv\\?'"`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}))*"|'(?:[^'\\\n\r]|\\(?:[abfnrtv\\?'"`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}))*')/;
const RAW_STRING = /^([rR][bB]?|[bB][rR])("""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n\r]*"|'[^'\n\r]*')/;
const ESCAPE_AT =
  /^\\(?:[abfnrtv\\?'"`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})/;
const NUMBER =
  /^(?:0x[0-9a-fA-F]+[uU]?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|\d+[uU]?)/;

/** Splits `text`; the last token is always `eof`. Characters outside the grammar are issues. */
export function tokenize(text: string): { tokens: Token[]; issues: CelIssue[] } {
  const tokens: Token[] = [];
  const issues: CelIssue[] = [];
  let rest = text;
  let at = 0;
  const take = (length: number) => {
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    at += [...taken].length;
    return taken;
  };
  while (rest !== "") {
    const space = /^(?:[ \t\r\n\f]+|\/\/[^\n]*)/.exec(rest);
    if (space !== null) {
      take(space[0].length);
      continue;
    }
    const start = at;
    const [kind, length] = tokenAt(rest);
    if (kind === undefined) {
      const char = take(unreadable(rest));
      issues.push({ at: start, message: `Syntax error: token recognition error at: '${char}'` });
      continue;
    }
    tokens.push({ kind, text: take(length), at: start });
  }
  tokens.push({ kind: "eof", text: "<EOF>", at });
  return { tokens, issues };
}

/** How much of `rest` no token begins with: a string goes up to where it breaks. */
function unreadable(rest: string): number {
  if (!/^["']/.test(rest)) return (rest.codePointAt(0) ?? 0) > 0xffff ? 2 : 1;
  let at = 1;
  while (at < rest.length && rest[at] !== rest[0] && !/[\r\n]/.test(rest[at] ?? "")) {
    if (rest[at] === "\\") {
      const escaped = ESCAPE_AT.exec(rest.slice(at));
      if (escaped === null) return Math.min(rest.length, at + 2);
      at += escaped[0].length;
    } else at++;
  }
  return Math.min(rest.length, rest[at] === rest[0] ? 1 : Math.max(1, at));
}

function tokenAt(rest: string): [TokenKind | undefined, number] {
  const string = RAW_STRING.exec(rest) ?? STRING.exec(rest);
  if (string !== null) return [/^[rR]?[bB]/.test(rest) ? "bytes" : "string", string[0].length];
  const ident = /^[_a-zA-Z][_a-zA-Z0-9]*/.exec(rest);
  if (ident !== null) return ["ident", ident[0].length];
  const quoted = /^`[a-zA-Z0-9_.\-/ ]+`/.exec(rest);
  if (quoted !== null) return ["quoted", quoted[0].length];
  const number = NUMBER.exec(rest);
  if (number !== null) return [numberKind(number[0]), number[0].length];
  const operator = OPERATORS.find((one) => rest.startsWith(one));
  return operator === undefined ? [undefined, 0] : ["op", operator.length];
}

function numberKind(text: string): TokenKind {
  if (/[uU]$/.test(text)) return "uint";
  if (text.startsWith("0x")) return "int";
  return /[.eE]/.test(text) ? "double" : "int";
}

/** Issues as cel-go prints them: `ERROR: <input>:1:3: ...` and the line with a mark below. */
export function formatIssues(text: string, issues: readonly CelIssue[]): string {
  const lines = text.split("\n");
  return issues
    .map(({ at, message }) => {
      let offset = at;
      let row = 0;
      while (row < lines.length - 1 && offset > [...(lines[row] ?? "")].length) {
        offset -= [...(lines[row] ?? "")].length + 1;
        row++;
      }
      const line = (lines[row] ?? "").replaceAll("\t", " ");
      const mark = `${".".repeat(offset)}^`;
      return `ERROR: <input>:${row + 1}:${offset + 1}: ${message}\n | ${line}\n | ${mark}`;
    })
    .join("\n");
}
