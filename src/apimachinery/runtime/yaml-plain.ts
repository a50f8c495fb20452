/**
 * JSON among YAML: most "YAML" bodies of clients are JSON, which a YAML parser reads many times more
 * slowly. Only texts that mean the same in both are taken here.
 */
import { endOfString } from "./fields-v1.ts";

/** What YAML and JSON agree on; tabs and the marks YAML breaks lines at are left to YAML. */
const COMMON = /^[\n\r\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff]*$/;
/** Merge keys, and escapes of half a pair, which YAML has its own ways with. */
const OWN_WAYS = /"<<"|\\ud/;
/** Deeper texts are for whoever has upstream's bound. */
const DEPTH_MAX = 100;

/**
 * The text without white space between its tokens, when it is a JSON object that a YAML parser would
 * give the same value for: no key twice, numbers and strings in their plain form. Else undefined.
 */
export function plainJson(text: string): string | undefined {
  if (text.charCodeAt(0) !== 0x7b || !COMMON.test(text) || OWN_WAYS.test(text)) return undefined;
  const compact = compacted(text);
  if (compact === undefined) return undefined;
  try {
    // A key that comes twice, or a number or string in another form, does not come back the same.
    return JSON.stringify(JSON.parse(compact)) === compact ? compact : undefined;
  } catch {
    return undefined;
  }
}

function compacted(text: string): string | undefined {
  let out = "";
  let start = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      i = endOfString(text, i);
      if (i < 0) return undefined;
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > DEPTH_MAX) return undefined;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
    else if (code === 0x20 || code === 0x0a || code === 0x0d) {
      out += text.slice(start, i);
      start = i + 1;
    }
  }
  return start === 0 ? text : out + text.slice(start);
}
