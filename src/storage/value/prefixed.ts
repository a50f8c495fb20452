/** Several transformers, told apart by prefixes; the first one writes, all of them read. */
import type { Decrypted, ValueTransformer } from "./transformer.ts";

export interface Prefixed {
  readonly prefix: Uint8Array;
  readonly transformer: ValueTransformer;
}

/** `noMatch`: the error when no prefix fits. What a later one reads is stale. */
export function prefixed(list: readonly Prefixed[], noMatch: string): ValueTransformer {
  const [first] = list;
  if (first === undefined) throw new RangeError("no transformers");
  const read = (
    stored: Uint8Array,
    aad: string,
    from: number,
    errors: readonly unknown[],
  ): Decrypted | Promise<Decrypted> => {
    for (let i = from; i < list.length; i++) {
      const { prefix, transformer } = list[i] ?? first;
      if (!startsWith(stored, prefix)) continue;
      // Providers may share a prefix with other keys, and identity matches all: try on.
      const failed = (error: unknown): Decrypted | Promise<Decrypted> =>
        read(stored, aad, i + 1, prefix.length === 0 ? errors : [...errors, error]);
      try {
        const opened = transformer.fromStorage(stored.subarray(prefix.length), aad);
        if (opened instanceof Promise) return opened.then((o) => staleIf(o, i !== 0), failed);
        return staleIf(opened, i !== 0);
      } catch (error) {
        return failed(error);
      }
    }
    if (errors.length === 0) throw new Error(noMatch);
    if (errors.length === 1) throw errors[0];
    throw new Error(`[${errors.map((e) => (e instanceof Error ? e.message : e)).join(", ")}]`);
  };
  return {
    fromStorage: (stored, aad) => read(stored, aad, 0, []),
    toStorage(value, aad) {
      const sealed = first.transformer.toStorage(value, aad);
      const whole = (bytes: Uint8Array): Uint8Array =>
        first.prefix.length === 0 ? bytes : Buffer.concat([first.prefix, bytes]);
      return sealed instanceof Promise ? sealed.then(whole) : whole(sealed);
    },
  };
}

function staleIf(opened: Decrypted, stale: boolean): Decrypted {
  return stale && !opened.stale ? { value: opened.value, stale } : opened;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}
