/**
 * What a server of another version has stored, as this one would have: upstream's codec fills in
 * defaults and converts on every read, here only the few objects are touched that need it.
 */

import { parseApiVersion } from "../apimachinery/runtime/gvk.ts";
import { decodeJson } from "../apimachinery/runtime/json-decode.ts";
import { encodeJson } from "../apimachinery/runtime/json-encode.ts";
import {
  decodeProtobuf,
  encodeProtobuf,
  interpretEnvelope,
} from "../apimachinery/runtime/protobuf.ts";
import { storedKind } from "../apis/stored-kinds.ts";
import type { StorageConfig } from "./interfaces.ts";

const BRACE = 0x7b;

/**
 * The decrypted value of a built-in kind with its defaults and in the storage version, in the
 * encoding it came in. Throws for what can not be read, in upstream's words for an unknown kind.
 */
export function modernized(stored: Uint8Array, config: StorageConfig): Uint8Array {
  return stored[0] === BRACE ? modernJson(stored, config) : modernProtobuf(stored, config);
}

function modernProtobuf(stored: Uint8Array, config: StorageConfig): Uint8Array {
  const { apiVersion, kind } = interpretEnvelope(stored);
  const known = kindOf(apiVersion, kind, config);
  const { object } = decodeProtobuf(stored, known.schema);
  const modern = known.modernize(object, config.apiVersion);
  const { schema } = kindOf(config.apiVersion, config.kind, config);
  const { group = "", version = "" } = parseApiVersion(config.apiVersion) ?? {};
  return encodeProtobuf(modern, schema, { group, version, kind: config.kind });
}

function modernJson(stored: Uint8Array, config: StorageConfig): Uint8Array {
  const { apiVersion, kind } = JSON.parse(Buffer.from(stored).toString()) as {
    readonly apiVersion?: string;
    readonly kind?: string;
  };
  const known = kindOf(apiVersion ?? config.apiVersion, kind ?? config.kind, config);
  const { object } = decodeJson(stored, known.schema, { strict: "Ignore" });
  const modern = known.modernize(object, config.apiVersion);
  const { schema } = kindOf(config.apiVersion, config.kind, config);
  return Buffer.from(`${encodeJson(modern, schema)}\n`);
}

function kindOf(apiVersion: string, kind: string, config: StorageConfig) {
  const known = storedKind(apiVersion, kind);
  if (known !== undefined && kind === config.kind) return known;
  throw new Error(`no kind "${kind}" is registered for version "${apiVersion}" in scheme`);
}
