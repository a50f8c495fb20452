/**
 * Encryption at rest: what happens to a value between the codec and the store. `aad` is the key's
 * path, which authenticated modes bind the value to. Upstream: storage/value/transformer.go.
 */
export interface Decrypted {
  readonly value: Uint8Array;
  /** Written with another key or provider than the first: the next write must rewrite it. */
  readonly stale: boolean;
}
type MaybePromise<T> = T | Promise<T>;

export interface ValueTransformer {
  /** Throws when no provider can read the bytes. */
  fromStorage(stored: Uint8Array, aad: string): MaybePromise<Decrypted>;
  toStorage(value: Uint8Array, aad: string): MaybePromise<Uint8Array>;
}

const ENCRYPTED = Buffer.from("k8s:enc:");

/** The provider `identity`: writes plainly, and does not take ciphertext for plain text. */
export const identityProvider: ValueTransformer = {
  fromStorage(stored) {
    if (stored[0] === ENCRYPTED[0] && ENCRYPTED.every((byte, i) => stored[i] === byte)) {
      throw new Error("identity transformer tried to read encrypted data");
    }
    return { value: stored, stale: false };
  },
  toStorage: (value) => value,
};

/** The transformer of a resource: `pods`, `deployments.apps`. */
export type TransformerFor = (resource: string) => ValueTransformer;
export const noEncryption: TransformerFor = () => identityProvider;
