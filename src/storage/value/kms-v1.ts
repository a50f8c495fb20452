/**
 * The KMS v1 provider, behind the gate KMSv1: a key for every value, which the plugin encrypts.
 * Upstream: storage/value/encrypt/envelope/envelope.go.
 */
import { randomBytes } from "node:crypto";
import { FRAME_HEADER } from "../etcd3/grpc-status.ts";
import { WireWriter } from "../etcd3/wire.ts";
import { aesCbc, aesGcm } from "./ciphers.ts";
import { firstField, type KmsOptions, KmsPlugin } from "./kms-plugin.ts";
import type { Decrypted, ValueTransformer } from "./transformer.ts";

const VERSION = "v1beta1";
const KEY_BYTES = 32;
const LENGTH_BYTES = 2;
const MAX_KEY_BYTES = 0xffff;
const PROBE_HEALTHY_MS = 20_000;
const PROBE_UNHEALTHY_MS = 3000;

export interface KmsV1Options extends KmsOptions {
  /** Plain keys remembered; none when negative. */
  readonly cacheSize: number;
}

export class KmsV1Provider implements ValueTransformer {
  readonly #options: KmsV1Options;
  readonly #plugin: KmsPlugin;
  /** By the encrypted key in base64. */
  readonly #keys = new Map<string, Uint8Array>();
  #timer: NodeJS.Timeout | undefined;
  #error: unknown;

  constructor(options: KmsV1Options) {
    this.#options = options;
    this.#plugin = new KmsPlugin(`/${VERSION}.KeyManagementService`, options);
  }

  /** Undefined when the plugin is healthy; for /healthz/kms-providers. */
  get problem(): unknown {
    return this.#error;
  }

  /** Whether it is healthy shows first when this resolves. */
  async start(): Promise<void> {
    try {
      const ping = Buffer.from("ping");
      const there = await this.#encrypt(ping);
      if (!(await this.#decrypt(there)).equals(ping)) throw new Error("ping came back otherwise");
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
      this.#options.log?.(`kms plugin: ${String(error)}`);
    }
    const wait = this.#error === undefined ? PROBE_HEALTHY_MS : PROBE_UNHEALTHY_MS;
    this.#timer = setTimeout(() => void this.start(), wait);
    this.#timer.unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#plugin.close();
  }

  async fromStorage(stored: Uint8Array, aad: string): Promise<Decrypted> {
    const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
    const length = bytes.length < LENGTH_BYTES ? MAX_KEY_BYTES : bytes.readUInt16BE(0);
    if (length + LENGTH_BYTES > bytes.length) {
      throw new Error(
        "invalid data encountered by envelope transformer, length longer than available bytes",
      );
    }
    const sealed = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
    const data = bytes.subarray(LENGTH_BYTES + length);
    const key = await this.#keyOf(sealed);
    try {
      return await aesGcm(key).fromStorage(data, aad);
    } catch (error) {
      // Written before v1.24.
      try {
        return { value: (await aesCbc(key).fromStorage(data, aad)).value, stale: true };
      } catch {
        throw error;
      }
    }
  }

  async toStorage(value: Uint8Array, aad: string): Promise<Uint8Array> {
    const key = randomBytes(KEY_BYTES);
    const sealed = await this.#encrypt(key);
    if (sealed.length > MAX_KEY_BYTES) throw new Error("the encrypted key is too long");
    this.#remember(sealed, key);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(sealed.length);
    return Buffer.concat([length, sealed, await aesGcm(key).toStorage(value, aad)]);
  }

  async #keyOf(sealed: Buffer): Promise<Uint8Array> {
    const known = this.#keys.get(sealed.toString("base64"));
    if (known !== undefined) return known;
    const key = await this.#decrypt(sealed).catch((error) => {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`failed to decrypt DEK, error: ${message}`, { cause: error });
    });
    this.#remember(sealed, key);
    return key;
  }

  #remember(sealed: Buffer, key: Uint8Array): void {
    const { cacheSize } = this.#options;
    if (cacheSize <= 0) return;
    const oldest = this.#keys.keys().next();
    if (this.#keys.size >= cacheSize && oldest.done !== true) this.#keys.delete(oldest.value);
    this.#keys.set(sealed.toString("base64"), key);
  }

  async #encrypt(plain: Buffer): Promise<Buffer> {
    return firstField(await this.#plugin.call("Encrypt", request(plain)));
  }
  async #decrypt(cipher: Buffer): Promise<Buffer> {
    return firstField(await this.#plugin.call("Decrypt", request(cipher)));
  }
}

/** Both requests: the API's version, and what to work on. */
function request(bytes: Buffer): WireWriter {
  return new WireWriter(bytes.length + 32, FRAME_HEADER).string(1, VERSION).bytes(2, bytes);
}
