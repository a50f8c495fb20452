/**
 * What the graph keeps of a pod, read from its JSON. Most changes of a pod are its status: they are
 * told apart by a walk over the bytes, without making objects of them. Every front thread follows
 * every pod, so this is done for each change of each pod as many times as there are threads.
 * Upstream: plugin/pkg/auth/authorizer/node/graph_populator.go updatePod.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { type NodePod, referencesOf } from "./references.ts";

export interface PodDigest extends KubeObject {
  readonly metadata: { readonly namespace: string; readonly name: string };
  /** "": not on a node. */
  readonly node: string;
  /** Same for the states of one pod that lead to the same objects. */
  readonly identity: string;
  /** What the pod leads to: vertexKey of each. */
  readonly references: readonly string[];
}

/** The parts that decide what a pod leads to; everything else of a bound pod's spec never changes. */
const DECIDING: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["metadata", new Set(["name", "namespace", "uid"])],
  ["spec", new Set(["nodeName", "ephemeralContainers"])],
  ["status", new Set(["resourceClaimStatuses", "extendedResourceClaimStatus"])],
]);
const NO_REFERENCES: readonly string[] = [];

/** `known` gives the last digest of `namespace/name`, which is returned when it still holds. */
export function readPod(
  json: Uint8Array,
  known: (key: string) => PodDigest | undefined,
): PodDigest {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const chars = bytes.toString("latin1"); // a character a byte, and faster to walk over
  const parts = new Map<string, string>();
  eachMember(chars, skipSpace(chars, 0), (key, start) => {
    const wanted = DECIDING.get(key);
    if (wanted === undefined || chars.charCodeAt(start) !== BRACE) return skipValue(chars, start);
    return eachMember(chars, start, (name, at) => {
      const end = skipValue(chars, at);
      if (wanted.has(name)) parts.set(`${key}.${name}`, bytes.toString("utf8", at, end));
      return end;
    });
  });
  const text = (name: string): string => {
    const raw = parts.get(name);
    return raw === undefined ? "" : String(JSON.parse(raw));
  };
  const metadata = { namespace: text("metadata.namespace"), name: text("metadata.name") };
  const node = text("spec.nodeName");
  const identity = [...parts].map(([name, raw]) => `${name}=${raw}`).join("\n");
  const last = known(`${metadata.namespace}/${metadata.name}`);
  if (last !== undefined && last.identity === identity) return last;
  const references = node === "" ? NO_REFERENCES : referencesOf(parsePod(bytes));
  return { metadata, node, identity, references };
}

function parsePod(bytes: Buffer): NodePod {
  return JSON.parse(bytes.toString("utf8")) as NodePod;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const COMMA = 0x2c;

/**
 * Calls `member` with each key of the object at `start` and where its value begins; it returns where
 * the value ends. Returns where the object ends. The JSON is valid: it was served by a store.
 */
function eachMember(
  chars: string,
  start: number,
  member: (key: string, start: number) => number,
): number {
  let at = skipSpace(chars, start + 1);
  while (chars.charCodeAt(at) === QUOTE) {
    const keyEnd = skipString(chars, at);
    const key = chars.slice(at + 1, keyEnd - 1); // ours are ASCII, without escapes
    const value = skipSpace(chars, skipSpace(chars, keyEnd) + 1); // the colon
    at = skipSpace(chars, member(key, value));
    if (chars.charCodeAt(at) !== COMMA) break;
    at = skipSpace(chars, at + 1);
  }
  return at + 1;
}

function skipSpace(chars: string, start: number): number {
  let at = start;
  while (chars.charCodeAt(at) <= 0x20) at++; // NaN at the end
  return at;
}

function skipString(chars: string, start: number): number {
  const { length } = chars;
  for (let at = start + 1; at < length; at++) {
    const char = chars.charCodeAt(at);
    if (char === QUOTE) return at + 1;
    if (char === BACKSLASH) at++;
  }
  return length;
}

/** Where the value at `start` ends. */
function skipValue(chars: string, start: number): number {
  const first = chars.charCodeAt(start);
  if (first === QUOTE) return skipString(chars, start);
  let at = start;
  if (first !== BRACE && first !== BRACKET) {
    for (; at < chars.length; at++) {
      const byte = chars.charCodeAt(at);
      if (byte === COMMA || byte === BRACE + 2 || byte === BRACKET + 2 || byte <= 0x20) break;
    }
    return at;
  }
  let depth = 0;
  while (at < chars.length) {
    const byte = chars.charCodeAt(at);
    if (byte === QUOTE) {
      at = skipString(chars, at);
      continue;
    }
    if (byte === BRACE || byte === BRACKET) depth++;
    else if (byte === BRACE + 2 || byte === BRACKET + 2) depth--;
    at++;
    if (depth === 0) return at;
  }
  return at;
}
