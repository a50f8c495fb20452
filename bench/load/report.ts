/** The result as a page of its own: tables, and bars in SVG against the budget. */
import type { Figure } from "./measure.ts";

/** One figure over all runs of one target. */
export interface Row extends Omit<Figure, "value"> {
  readonly target: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}
export interface Result {
  readonly date: string;
  readonly command: string;
  readonly machine: Record<string, string | number>;
  readonly versions: Record<string, string>;
  readonly sizes: object;
  /** Requests a second that the generator reaches against a server that does nothing. */
  readonly ceiling: number;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

export function shown(value: number): string {
  if (value !== 0 && Math.abs(value) < 1) return value.toPrecision(2);
  return value >= 100 ? Math.round(value).toString() : value.toFixed(1);
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const BAR_WIDTH = 260;

/** The value as a share of twice the budget, and a line where the budget is. */
function bar({ median, budget, higherIsBetter }: Row, most: number): string {
  const full = budget === undefined || budget === 0 ? Math.max(most, 1e-9) : budget * 2;
  const width = Math.min(BAR_WIDTH, (median / full) * BAR_WIDTH);
  const missed = budget !== undefined && !higherIsBetter && median > budget;
  const colour = budget === undefined ? "#8aa0b8" : missed ? "#c0504d" : "#4f9d69";
  const line =
    budget === undefined || budget === 0
      ? ""
      : `<line x1="${BAR_WIDTH / 2}" x2="${BAR_WIDTH / 2}" y1="0" y2="14" stroke="#222"/>`;
  return `<svg width="${BAR_WIDTH}" height="14"><rect width="${width.toFixed(1)}" height="14" fill="${colour}"/>${line}</svg>`;
}

function table(scenario: string, rows: readonly Row[]): string {
  const most = (unit: string) =>
    Math.max(...rows.filter((row) => row.unit === unit).map((row) => row.median));
  const lines = rows.map((row) => {
    const { target, name, unit, median, min, max, budget } = row;
    const limit = budget === undefined ? "" : shown(budget);
    const cells = [target, name, `${shown(median)} ${unit}`, `${shown(min)}–${shown(max)}`, limit];
    const texts = cells.map((cell) => `<td>${escaped(cell)}</td>`).join("");
    return `<tr>${texts}<td>${bar(row, most(unit))}</td></tr>`;
  });
  const head = "<tr><th>server<th>figure<th>median<th>range<th>budget<th></tr>";
  return `<h2>${escaped(scenario)}</h2><table>${head}${lines.join("\n")}</table>`;
}

/** A self-contained page. */
export function page(result: Result): string {
  const scenarios = [...new Set(result.rows.map(({ scenario }) => scenario))];
  const facts = { ...result.machine, ...result.versions, command: result.command };
  const list = Object.entries(facts).map(([k, v]) => `<li>${escaped(`${k}: ${v}`)}</li>`);
  const notes = result.notes.map((note) => `<li>${escaped(note)}</li>`);
  const tables = scenarios.map((one) =>
    table(
      one,
      result.rows.filter(({ scenario }) => scenario === one),
    ),
  );
  return `<!doctype html><meta charset="utf-8"><title>Klystron bench ${result.date}</title>
<style>body{font:14px system-ui;margin:2em;max-width:1100px}table{border-collapse:collapse}
td,th{padding:2px 10px;text-align:left;border-bottom:1px solid #ddd}</style>
<h1>Klystron bench, ${escaped(result.date)}</h1><ul>${list.join("")}</ul>
<p>The generator alone reaches ${Math.round(result.ceiling)} requests a second. CPU is the server's, from
the operating system. The line in a bar is the budget; red is beyond it.</p>
${tables.join("\n")}<h2>Notes</h2><ul>${notes.join("")}</ul>
`;
}
