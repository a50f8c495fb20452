/** Field selectors: `a=b,c!=d`. Upstream: apimachinery/pkg/fields/selector.go. */
import { SelectorError } from "../labels/selector.ts";

export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}
export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[];
}

/**
 * Reads `a=b,c==d,e!=f`; commas, equals signs and backslashes in values are escaped by backslashes.
 * Terms come out sorted, empty ones are skipped. Throws SelectorError with upstream's text.
 */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === "") continue;
    const start = term.search(/!=|=/);
    if (start === -1) {
      throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    const written = /^(?:!=|==|=)/.exec(term.slice(start))?.[0] ?? "=";
    requirements.push({
      field: term.slice(0, start),
      operator: written === "!=" ? "!=" : "=",
      value: unescapeValue(term.slice(start + written.length)),
    });
  }
  return { requirements };
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === ",") {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...terms, text.slice(start)];
}

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let out = "";
  let escaped = false;
  for (const rune of text) {
    if (escaped) {
      if (!"\\,=".includes(rune)) throw badEscape(`\\${rune}`);
      out += rune;
      escaped = false;
    } else if (rune === "\\") escaped = true;
    else if (rune === "," || rune === "=") {
      const code = rune.codePointAt(0);
      throw new SelectorError(`invalid field selector: unescaped character in value: ${code}`);
    } else out += rune;
  }
  if (escaped) throw badEscape("\\");
  return out;
}

function badEscape(sequence: string): SelectorError {
  return new SelectorError(`invalid field selector: invalid escape sequence: ${sequence}`);
}

/** Whether the selector selects an object with these field values; a missing field is "". */
export function fieldsMatch(
  { requirements }: FieldSelector,
  fields: Readonly<Record<string, string>>,
): boolean {
  return requirements.every(({ field, operator, value }) => {
    const own = Object.hasOwn(fields, field) ? (fields[field] ?? "") : "";
    return (own === value) === (operator === "=");
  });
}

/** The value a field must have, when the selector says so by `=`. */
export function requiresExactMatch(selector: FieldSelector, field: string): string | undefined {
  return selector.requirements.find((one) => one.operator === "=" && one.field === field)?.value;
}

/** The text of a selector, with its values escaped. */
export function fieldSelectorString(selector: FieldSelector): string {
  return selector.requirements
    .map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, "\\$&")}`)
    .join(",");
}
