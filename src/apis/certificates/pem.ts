/** PEM blocks as Go's encoding/pem finds them. Upstream: encoding/pem. */
export interface PemBlock {
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

/**
 * Every block of `text`, in order; what lies between blocks, and blocks that are broken, are
 * skipped. Bounded by the length of `text`.
 */
export function decodePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  const begin = /(?:^|\n)-----BEGIN ([^\n-]*(?:-[^\n-]+)*)-----[ \t\r]*(?:\n|$)/g;
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const type = match[1] ?? "";
    const start = match.index + match[0].length;
    const ending = `-----END ${type}-----`;
    const end = text.startsWith(ending, start) ? start : text.indexOf(`\n${ending}`, start);
    if (end === -1) continue;
    const block = blockOf(type, text.slice(start, end));
    if (block === undefined) continue;
    blocks.push(block);
    // The newline before the next BEGIN may be the one that ends this block's END line.
    begin.lastIndex = text.indexOf(ending, end) + ending.length;
  }
  return blocks;
}

function blockOf(type: string, inner: string): PemBlock | undefined {
  const headers: Record<string, string> = {};
  const lines = inner.split("\n");
  let first = 0;
  for (; first < lines.length; first++) {
    const line = lines[first] ?? "";
    const colon = line.indexOf(":");
    if (colon === -1) break;
    headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  const base64 = lines
    .slice(first)
    .join("")
    .replace(/[ \t\r]/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined;
  return { type, headers, bytes: Buffer.from(base64, "base64") };
}
