/** Lists of indexes like `1,3-5,7`. Upstream: validateIndexesFormat, parseIndexInterval. */
import { quote } from "../../../../apimachinery/validation/field.ts";

/** Why a text is no list of indexes; the message is meant for the client. */
export class IndexesError extends Error {
  override readonly name = "IndexesError";
}

interface Interval {
  readonly first: number;
  readonly last: number;
}

/** strconv.Atoi for what can be an index. */
function atoi(text: string): number {
  if (!/^[+-]?\d{1,18}$/.test(text)) {
    throw new IndexesError(`cannot convert string to integer for index: ${quote(text)}`);
  }
  return Number(text);
}

function indexBelow(text: string, completions: number): number {
  const index = atoi(text);
  if (index >= completions) throw new IndexesError(`too large index: ${quote(text)}`);
  return index;
}

function parseInterval(text: string, completions: number): Interval {
  const parts = text.split("-");
  if (parts.length > 2) {
    const rule = "an index interval can have at most two parts separated by '-'";
    throw new IndexesError(`the fragment ${quote(text)} violates the requirement that ${rule}`);
  }
  const first = indexBelow(parts[0] ?? "", completions);
  if (parts.length === 1) return { first, last: first };
  const last = indexBelow(parts[1] ?? "", completions);
  if (first >= last) {
    throw new IndexesError(`non-increasing order, previous: ${first}, current: ${last}`);
  }
  return { first, last };
}

/** How many indexes the text lists. Throws IndexesError. */
export function countIndexes(text: string, completions: number): number {
  if (text === "") return 0;
  let last: number | undefined;
  let total = 0;
  for (const part of text.split(",")) {
    const interval = parseInterval(part, completions);
    if (last !== undefined && last >= interval.first) {
      throw new IndexesError(`non-increasing order, previous: ${last}, current: ${interval.first}`);
    }
    total += interval.last - interval.first + 1;
    last = interval.last;
  }
  return total;
}

/** The first index that both lists have; parts that cannot be read are passed over. */
export function overlappingIndex(a: string, b: string, completions: number): number | undefined {
  if (a === "" || b === "") return undefined;
  const left = readable(a, completions);
  const right = readable(b, completions);
  let [i, j] = [0, 0];
  for (;;) {
    const [one, other] = [left[i], right[j]];
    if (one === undefined || other === undefined) return undefined;
    if (one.first <= other.last && other.first <= one.last) return Math.max(one.first, other.first);
    if (one.first <= other.first) i++;
    else j++;
  }
}

function readable(text: string, completions: number): Interval[] {
  return text.split(",").flatMap((part) => {
    try {
      return [parseInterval(part, completions)];
    } catch (error) {
      if (error instanceof IndexesError) return [];
      throw error;
    }
  });
}
