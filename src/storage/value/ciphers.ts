/**
 * The local providers: AES-CBC, AES-GCM, secretbox. Each knows one key and nothing of prefixes.
 * Upstream: storage/value/encrypt/{aes,secretbox}.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { openSecretbox, SECRETBOX_NONCE_BYTES, sealSecretbox } from "./secretbox.ts";
import type { Decrypted, ValueTransformer } from "./transformer.ts";

const BLOCK = 16;
const GCM_NONCE = 12;
const GCM_TAG = 16;
const TOO_SHORT = "the stored data was shorter than the required size";

const fresh = (value: Uint8Array): Decrypted => ({ value, stale: false });

/** IV, then PKCS#7-padded AES-CBC. Not authenticated, as upstream's is not. */
export function aesCbc(key: Uint8Array): ValueTransformer {
  const name = `aes-${key.length * 8}-cbc`;
  return {
    fromStorage(stored) {
      if (stored.length < BLOCK) throw new Error(TOO_SHORT);
      if (stored.length % BLOCK !== 0) {
        throw new Error("the stored data is not a multiple of the block size");
      }
      const cipher = createDecipheriv(name, key, stored.subarray(0, BLOCK));
      return fresh(Buffer.concat([cipher.update(stored.subarray(BLOCK)), cipher.final()]));
    },
    toStorage(value) {
      const iv = randomBytes(BLOCK);
      const cipher = createCipheriv(name, key, iv);
      return Buffer.concat([iv, cipher.update(value), cipher.final()]);
    },
  };
}

/** Nonce, ciphertext, tag; bound to the key's path. */
export function aesGcm(key: Uint8Array): ValueTransformer {
  return {
    fromStorage: (stored, aad) => fresh(openGcm(key, stored, aad)),
    toStorage: (value, aad) => sealGcm(key, value, aad),
  };
}

/** A new AES-GCM key for every value, from a seed and 32 random bytes before the value. */
export function seededGcm(seed: Uint8Array): ValueTransformer {
  const INFO = 32;
  // One block of HKDF-Expand with SHA-256: the derived key has just its length.
  const derive = (info: Uint8Array): Buffer =>
    createHmac("sha256", seed)
      .update(info)
      .update(Buffer.from([1]))
      .digest();
  return {
    fromStorage(stored, aad) {
      if (stored.length < INFO) throw new Error(TOO_SHORT);
      return fresh(openGcm(derive(stored.subarray(0, INFO)), stored.subarray(INFO), aad));
    },
    toStorage(value, aad) {
      const info = randomBytes(INFO);
      return Buffer.concat([info, sealGcm(derive(info), value, aad)]);
    },
  };
}

function openGcm(key: Uint8Array, stored: Uint8Array, aad: string): Buffer {
  if (stored.length < GCM_NONCE + GCM_TAG) throw new Error(TOO_SHORT);
  const name = gcmName(key);
  const options = { authTagLength: GCM_TAG };
  const cipher = createDecipheriv(name, key, stored.subarray(0, GCM_NONCE), options);
  cipher.setAAD(Buffer.from(aad));
  cipher.setAuthTag(stored.subarray(stored.length - GCM_TAG));
  const body = stored.subarray(GCM_NONCE, stored.length - GCM_TAG);
  try {
    return Buffer.concat([cipher.update(body), cipher.final()]);
  } catch {
    throw new Error("cipher: message authentication failed");
  }
}

function sealGcm(key: Uint8Array, value: Uint8Array, aad: string): Buffer {
  const nonce = randomBytes(GCM_NONCE);
  const cipher = createCipheriv(gcmName(key), key, nonce, { authTagLength: GCM_TAG });
  cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
}

function gcmName(key: Uint8Array): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
  if (key.length === 16) return "aes-128-gcm";
  return key.length === 24 ? "aes-192-gcm" : "aes-256-gcm";
}

/** Nonce, then NaCl's box. */
export function secretbox(key: Uint8Array): ValueTransformer {
  return {
    fromStorage(stored) {
      if (stored.length < SECRETBOX_NONCE_BYTES) throw new Error(TOO_SHORT);
      const nonce = stored.subarray(0, SECRETBOX_NONCE_BYTES);
      const value = openSecretbox(stored.subarray(SECRETBOX_NONCE_BYTES), nonce, key);
      if (value === undefined) throw new Error("message authentication failed");
      return fresh(value);
    },
    toStorage(value) {
      const nonce = randomBytes(SECRETBOX_NONCE_BYTES);
      return Buffer.concat([nonce, sealSecretbox(value, nonce, key)]);
    },
  };
}
