/** The codec of stored objects over the addon's transcoder. Loads the addon. */
import { isProtobuf } from "../apimachinery/runtime/protobuf-encode.ts";
import { type NativeBinding, NativeError, native } from "../native/binding.ts";
import { jsonCodec, type StoredCodec, setResourceVersion } from "./codec.ts";
import type { StorageConfig } from "./interfaces.ts";

/** `{`: JSON, not a protobuf envelope. */
const BRACE = 0x7b;
const SCRATCH_START = 64 * 1024;
/** Above etcd's limit with what JSON makes of it: more is a bug, not an object. */
const SCRATCH_MAX = 64 * 1024 * 1024;

/** Shared by the calls of this thread: each result is copied out before the next call. */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_START);

/** Makes what a present server would have stored of an older one's bytes; see modernize.ts. */
export type Modernize = (stored: Uint8Array, config: StorageConfig) => Uint8Array;

/**
 * Custom resources and JSON-stored built-ins pass through as JSON. Without `modernize`, so does
 * what lacks defaults or is of another version.
 */
export function createNativeCodec(binding: NativeBinding, modernize?: Modernize): StoredCodec {
  return {
    toStored(json, config) {
      if (config.goName === "") return jsonCodec.toStored(json, config);
      if (config.mediaType === "json") {
        return Buffer.concat([setResourceVersion(json, undefined, config), NEWLINE]);
      }
      const { goName, kind, apiVersion } = config;
      return transcoded(config, (target) =>
        binding.jsonToProto(goName, kind, apiVersion, "", json, target, true),
      );
    },
    toServed(stored, revision, config, outdated) {
      if (config.custom !== undefined)
        return jsonCodec.toServed(stored, revision, config, outdated);
      if (config.goName === "" || stored[0] === BRACE) {
        const json = modernJson(binding, stored, config, modernize, outdated);
        return setResourceVersion(withoutNewline(json), revision, config);
      }
      const { goName, kind, apiVersion } = config;
      const text = String(revision);
      const complete = modernize !== undefined;
      const length = runScratch((target) =>
        binding.protoToJson(goName, kind, apiVersion, text, stored, target, complete),
      );
      if (length >= 0) return Buffer.from(scratch.subarray(0, length));
      if (modernize === undefined || !isOutdated(length) || !isProtobuf(stored)) {
        throw unreadable(stored);
      }
      const modern = modernize(stored, config);
      if (Buffer.compare(modern, stored) !== 0) outdated?.();
      return transcoded(config, (target) =>
        binding.protoToJson(goName, kind, apiVersion, text, modern, target),
      );
    },
  };
}

function modernJson(
  binding: NativeBinding,
  stored: Uint8Array,
  config: StorageConfig,
  modernize: Modernize | undefined,
  outdated: (() => void) | undefined,
): Uint8Array {
  if (config.goName === "" || modernize === undefined) return stored;
  const { goName, apiVersion } = config;
  if (!isOutdated(binding.jsonIsComplete(goName, apiVersion, stored))) return stored;
  const modern = modernize(stored, config);
  if (Buffer.compare(modern, stored) !== 0) outdated?.();
  return modern;
}

/** Custom resources and JSON-stored built-ins pass through as JSON; nothing is modernized. */
export const nativeCodec: StoredCodec = createNativeCodec(native);

/** Whether a value has to be modernized before it can be served. */
export function isOutdated(status: number): boolean {
  return status === NativeError.incomplete || status === NativeError.otherVersion;
}

const NEWLINE = Buffer.from("\n");

function withoutNewline(json: Uint8Array): Uint8Array {
  return json[json.length - 1] === 0x0a ? json.subarray(0, -1) : json;
}

/** Runs a call that writes into a buffer, with a bigger one if it says so; copies the result. */
function transcoded(config: StorageConfig, run: (target: Uint8Array) => number): Uint8Array {
  const bytes = fillScratch(run);
  if (bytes === undefined) throw new Error(`the bytes are no ${config.kind}`);
  return Buffer.from(bytes);
}

/** Most often it was cut off; upstream tries YAML on what has no protobuf's prefix. */
function unreadable(stored: Uint8Array): Error {
  return new Error(isProtobuf(stored) ? "unexpected EOF" : "yaml: invalid leading UTF-8 octet");
}

/**
 * Runs a native call that answers a length, `-needed - 100` or an error. Returns a view that is
 * valid until the next call on this thread; undefined for an error.
 */
export function fillScratch(run: (target: Uint8Array) => number): Buffer | undefined {
  const length = runScratch(run);
  return length < 0 ? undefined : scratch.subarray(0, length);
}

/** The length of what is in the scratch buffer, or the error. */
function runScratch(run: (target: Uint8Array) => number): number {
  const length = run(scratch);
  if (length > -100) return length;
  const needed = -length - 100;
  if (needed > SCRATCH_MAX) return NativeError.badValue;
  scratch = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed + 1)));
  return run(scratch);
}
