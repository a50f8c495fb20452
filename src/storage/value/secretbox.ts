/**
 * NaCl's secretbox, XSalsa20 and Poly1305: what `secretbox` providers of EncryptionConfiguration
 * use. Node's OpenSSL has neither. Held to NaCl's own test vector; made for values of kilobytes.
 * https://nacl.cr.yp.to/secretbox.html
 */
import { timingSafeEqual } from "node:crypto";

export const SECRETBOX_KEY_BYTES = 32;
export const SECRETBOX_NONCE_BYTES = 24;
export const SECRETBOX_TAG_BYTES = 16;

/** Tag and ciphertext. Throws RangeError on a key or nonce of another length. */
export function sealSecretbox(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
  const stream = keystream(SECRETBOX_KEY_BYTES + message.length, nonce, key);
  const out = Buffer.allocUnsafe(SECRETBOX_TAG_BYTES + message.length);
  for (let i = 0; i < message.length; i++) {
    out[SECRETBOX_TAG_BYTES + i] = (message[i] ?? 0) ^ (stream[SECRETBOX_KEY_BYTES + i] ?? 0);
  }
  const tag = poly1305(out.subarray(SECRETBOX_TAG_BYTES), stream.subarray(0, SECRETBOX_KEY_BYTES));
  out.set(tag, 0);
  return out;
}

/** The message, or undefined when the box was not made with this key and nonce. */
export function openSecretbox(
  box: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): Buffer | undefined {
  if (box.length < SECRETBOX_TAG_BYTES) return undefined;
  const body = box.subarray(SECRETBOX_TAG_BYTES);
  const stream = keystream(SECRETBOX_KEY_BYTES + body.length, nonce, key);
  const tag = poly1305(body, stream.subarray(0, SECRETBOX_KEY_BYTES));
  if (!timingSafeEqual(tag, box.subarray(0, SECRETBOX_TAG_BYTES))) return undefined;
  const out = Buffer.allocUnsafe(body.length);
  for (let i = 0; i < body.length; i++) {
    out[i] = (body[i] ?? 0) ^ (stream[SECRETBOX_KEY_BYTES + i] ?? 0);
  }
  return out;
}

/** "expand 32-byte k", little-endian. */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
const WORDS = 16;
const BLOCK = 64;

/** XSalsa20: HSalsa20 of the key and the nonce's first half, then Salsa20 with the rest. */
function keystream(length: number, nonce: Uint8Array, key: Uint8Array): Buffer {
  if (key.length !== SECRETBOX_KEY_BYTES) throw new RangeError("secretbox keys have 32 bytes");
  if (nonce.length !== SECRETBOX_NONCE_BYTES) throw new RangeError("nonces have 24 bytes");
  const n = wordsOf(nonce);
  const mixed = rounds(stateOf(wordsOf(key), n.subarray(0, 4)));
  const subkey = Uint32Array.from([0, 5, 10, 15, 6, 7, 8, 9], (i) => mixed[i] ?? 0);
  const blocks = Math.ceil(length / BLOCK);
  const out = Buffer.allocUnsafe(blocks * BLOCK);
  const input = new Uint32Array([n[4] ?? 0, n[5] ?? 0, 0, 0]);
  for (let block = 0; block < blocks; block++) {
    input[2] = block >>> 0;
    const state = stateOf(subkey, input);
    const done = rounds(state);
    for (let i = 0; i < WORDS; i++) {
      out.writeUInt32LE(((done[i] ?? 0) + (state[i] ?? 0)) >>> 0, block * BLOCK + i * 4);
    }
  }
  return out.subarray(0, length);
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const buffer = Buffer.from(bytes);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => buffer.readUInt32LE(i * 4));
}

function stateOf(key: Uint32Array, input: Uint32Array): Uint32Array {
  const state = new Uint32Array(WORDS);
  for (let i = 0; i < 4; i++) {
    state[i * 5] = SIGMA[i] ?? 0;
    state[i + 1] = key[i] ?? 0;
    state[i + 6] = input[i] ?? 0;
    state[i + 11] = key[i + 4] ?? 0;
  }
  return state;
}

/** Salsa20's quarter rounds: columns, then rows. */
const QUARTERS = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

function rounds(state: Uint32Array): Uint32Array {
  const x = state.slice();
  const mix = (to: number, a: number, b: number, by: number): void => {
    const sum = ((x[a] ?? 0) + (x[b] ?? 0)) | 0;
    x[to] = (x[to] ?? 0) ^ ((sum << by) | (sum >>> (32 - by)));
  };
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of QUARTERS) {
      mix(b, a, d, 7);
      mix(c, b, a, 9);
      mix(d, c, b, 13);
      mix(a, d, c, 18);
    }
  }
  return x;
}

const PRIME = (1n << 130n) - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;
const MASK_130 = (1n << 130n) - 1n;

function poly1305(message: Uint8Array, key: Uint8Array): Buffer {
  const r = littleEndian(key.subarray(0, 16)) & CLAMP;
  const s = littleEndian(key.subarray(16, 32));
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum += littleEndian(block) + (1n << BigInt(8 * block.length));
    sum *= r;
    // 2^130 = 5 modulo the prime: folding is cheaper than a division.
    sum = (sum & MASK_130) + 5n * (sum >> 130n);
  }
  sum = (sum % PRIME) + s;
  const tag = Buffer.allocUnsafe(SECRETBOX_TAG_BYTES);
  tag.writeBigUInt64LE(BigInt.asUintN(64, sum), 0);
  tag.writeBigUInt64LE(BigInt.asUintN(64, sum >> 64n), 8);
  return tag;
}

function littleEndian(bytes: Uint8Array): bigint {
  if (bytes.length === 16) {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, 16);
    return view.readBigUInt64LE(0) | (view.readBigUInt64LE(8) << 64n);
  }
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}
