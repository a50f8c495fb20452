/** CSV as Go's encoding/csv reads it with a free number of fields and TrimLeadingSpace off. */

const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

/** The records; undefined when a quote is out of place. Blank lines are skipped. */
export function parseCsv(text: string): string[][] | undefined {
  const records: string[][] = [];
  let record: string[] = [];
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length) {
    const match = FIELD.exec(text);
    if (match === null) return undefined;
    const [, quoted, bare, end] = match;
    record.push(quoted === undefined ? (bare ?? "") : quoted.replaceAll('""', '"'));
    if (end === ",") {
      if (FIELD.lastIndex === text.length) record.push("");
      else continue;
    }
    if (record.length > 1 || record[0] !== "" || quoted !== undefined) records.push(record);
    record = [];
  }
  if (record.length > 0) records.push(record);
  return records;
}
