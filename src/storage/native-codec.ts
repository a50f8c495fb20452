/** The codec of stored objects over the addon's transcoder. Loads the addon. */
import { type NativeBinding, native } from "../native/binding.ts";
import { jsonCodec, type StoredCodec, setResourceVersion } from "./codec.ts";
import type { StorageConfig } from "./interfaces.ts";

const SCRATCH_START = 64 * 1024;
/** Above etcd's limit with what JSON makes of it: more is a bug, not an object. */
const SCRATCH_MAX = 64 * 1024 * 1024;

/** Shared by the calls of this thread: each result is copied out before the next call. */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_START);

/** Custom resources and JSON-stored built-ins pass through as JSON. */
export const nativeCodec: StoredCodec = createNativeCodec(native);

export function createNativeCodec(binding: NativeBinding): StoredCodec {
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
    toServed(stored, revision, config) {
      const { goName, kind, apiVersion } = config;
      if (goName === "" || stored[0] === 0x7b) {
        return setResourceVersion(withoutNewline(stored), revision, config);
      }
      return transcoded(config, (target) =>
        binding.protoToJson(goName, kind, apiVersion, String(revision), stored, target),
      );
    },
  };
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

/**
 * Runs a native call that answers a length, `-needed - 100` or an error. Returns a view that is
 * valid until the next call on this thread; undefined for an error.
 */
export function fillScratch(run: (target: Uint8Array) => number): Buffer | undefined {
  let length = run(scratch);
  if (length <= -100) {
    const needed = -length - 100;
    if (needed > SCRATCH_MAX) return undefined;
    scratch = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed + 1)));
    length = run(scratch);
  }
  return length < 0 ? undefined : scratch.subarray(0, length);
}
