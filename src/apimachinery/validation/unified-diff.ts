/** The text `diff -u` prints, without the names of files. Upstream: util/diff over difflib. */

const CONTEXT = 3;
/** Beyond this many pairs of lines, what differs is shown as one block. */
const PAIRS_MAX = 4_000_000;

interface Edit {
  readonly sign: " " | "-" | "+";
  readonly line: string;
  /** Lines of either text before this one. */
  readonly left: number;
  readonly right: number;
}

/** Hunks that lead from `before` to `after`, each line ended; "" for equal texts. */
export function unifiedDiff(before: string, after: string): string {
  const edits = editsOf(before.split("\n"), after.split("\n"));
  return hunksOf(edits).map(printHunk).join("");
}

function editsOf(left: readonly string[], right: readonly string[]): Edit[] {
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) head++;
  let tail = 0;
  const shorter = Math.min(left.length, right.length) - head;
  while (tail < shorter && left.at(-1 - tail) === right.at(-1 - tail)) tail++;
  const signs = [
    ...Array<" ">(head).fill(" "),
    ...signsOf(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...Array<" ">(tail).fill(" "),
  ];
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  for (const sign of signs) {
    const line = (sign === "+" ? right[j] : left[i]) ?? "";
    edits.push({ sign, line, left: i, right: j });
    if (sign !== "+") i++;
    if (sign !== "-") j++;
  }
  return edits;
}

type Sign = Edit["sign"];

/** By a longest common subsequence; removals come before additions. */
function signsOf(left: readonly string[], right: readonly string[]): Sign[] {
  const removed = Array<Sign>(left.length).fill("-");
  const added = Array<Sign>(right.length).fill("+");
  if (left.length * right.length > PAIRS_MAX) return [...removed, ...added];
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const signs: Sign[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    if (left[i] === right[j]) {
      signs.push(" ");
      i++;
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      signs.push("-");
      i++;
    } else {
      signs.push("+");
      j++;
    }
  }
  return [...signs, ...removed.slice(i), ...added.slice(j)];
}

/** Changes with the lines around them; changes that are near share a hunk. */
function hunksOf(edits: readonly Edit[]): (readonly Edit[])[] {
  const hunks: (readonly Edit[])[] = [];
  let start = -1;
  let end = -1;
  const close = () => {
    if (start >= 0) hunks.push(edits.slice(start, Math.min(end, edits.length)));
  };
  for (const [k, { sign }] of edits.entries()) {
    if (sign === " ") continue;
    if (start < 0 || k - CONTEXT > end) {
      close();
      start = Math.max(0, k - CONTEXT);
    }
    end = k + 1 + CONTEXT;
  }
  close();
  return hunks;
}

function printHunk(hunk: readonly Edit[]): string {
  const [first] = hunk;
  if (first === undefined) return "";
  const removed = hunk.filter(({ sign }) => sign !== "+").length;
  const added = hunk.filter(({ sign }) => sign !== "-").length;
  const lines = hunk.map(({ sign, line }) => `${sign}${line}\n`);
  return `@@ -${range(first.left, removed)} +${range(first.right, added)} @@\n${lines.join("")}`;
}

/** An empty range is named by the line before it. */
function range(before: number, length: number): string {
  if (length === 1) return String(before + 1);
  return length === 0 ? `${before},0` : `${before + 1},${length}`;
}
