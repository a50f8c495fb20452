/**
 * The KMS v2 provider: a plugin behind a unix socket holds the key that encrypts a seed; the seed
 * encrypts values. The plugin is asked once per seed, not per value.
 * Upstream: storage/value/encrypt/envelope/kmsv2.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { FRAME_HEADER } from "../etcd3/grpc-status.ts";
import { WireReader, WireWriter } from "../etcd3/wire.ts";
import { aesGcm, seededGcm } from "./ciphers.ts";
import { firstField, type KmsOptions, KmsPlugin } from "./kms-plugin.ts";
import type { Decrypted, ValueTransformer } from "./transformer.ts";

const SERVICE = "/v2.KeyManagementService";
const STATUS_HEALTHY_MS = 60_000;
const STATUS_UNHEALTHY_MS = 10_000;
/** Seeds whose plain form is remembered: as many as servers and restarts, not as objects. */
const MAX_SEEDS = 1000;
const MAX_KEY_ID = 1024;
const MAX_SOURCE = 1024;
const SEED_TYPE = 1;

interface EncryptedObject {
  data: Uint8Array;
  keyId: string;
  source: Uint8Array;
  annotations: [string, Uint8Array][];
  sourceType: number;
}
interface WriteState {
  readonly object: Omit<EncryptedObject, "data">;
  readonly transformer: ValueTransformer;
}

export class KmsProvider implements ValueTransformer {
  readonly #options: KmsOptions;
  readonly #seeds = new Map<string, ValueTransformer>();
  readonly #plugin: KmsPlugin;
  #state: WriteState | undefined;
  #timer: NodeJS.Timeout | undefined;
  #error: unknown;

  constructor(options: KmsOptions) {
    this.#options = options;
    this.#plugin = new KmsPlugin(SERVICE, options);
  }

  /** Asks the plugin for its key and makes the first seed; `problem` says how that went. */
  start(): Promise<void> {
    return this.#poll();
  }

  /** Undefined when the plugin is healthy; for /healthz/kms-providers. */
  get problem(): unknown {
    return this.#error;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#plugin.close();
  }

  async fromStorage(stored: Uint8Array, aad: string): Promise<Decrypted> {
    const object = decodeObject(Buffer.from(stored));
    const id = seedId(object);
    let seed = this.#seeds.get(id);
    if (seed === undefined) {
      const plain = await this.#decrypt(object);
      seed = object.sourceType === SEED_TYPE ? seededGcm(plain) : aesGcm(plain);
      this.#remember(id, seed);
    }
    const opened = await seed.fromStorage(object.data, aad);
    const current = this.#state?.object;
    const stale = object.keyId !== current?.keyId || object.sourceType !== current?.sourceType;
    return { value: opened.value, stale };
  }

  async toStorage(value: Uint8Array, aad: string): Promise<Uint8Array> {
    const state = this.#state;
    if (state === undefined) throw new Error("got unexpected nil transformer");
    const data = await state.transformer.toStorage(value, aad);
    return encodeObject({ ...state.object, data });
  }

  async #poll(): Promise<void> {
    try {
      const status = decodeStatus(
        await this.#plugin.call("Status", new WireWriter(16, FRAME_HEADER)),
      );
      if (status.health !== "ok")
        throw new Error(`got unexpected healthz status: ${status.health}`);
      checkKeyId(status.keyId);
      if (this.#state?.object.keyId !== status.keyId) await this.#rotate();
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
      this.#options.log?.(`kms plugin: ${String(error)}`);
    }
    const wait = this.#error === undefined ? STATUS_HEALTHY_MS : STATUS_UNHEALTHY_MS;
    this.#timer = setTimeout(() => void this.#poll(), wait);
    this.#timer.unref();
  }

  async #rotate(): Promise<void> {
    const seed = randomBytes(32);
    const request = new WireWriter(128, FRAME_HEADER).bytes(1, seed).string(2, randomUUID());
    const answer = decodeEncrypt(await this.#plugin.call("Encrypt", request));
    checkKeyId(answer.keyId);
    if (answer.source.length === 0 || answer.source.length > MAX_SOURCE) {
      throw new Error(`encrypted DEK source is ${answer.source.length} bytes`);
    }
    const transformer = seededGcm(seed);
    this.#state = { object: { ...answer, sourceType: SEED_TYPE }, transformer };
    this.#remember(seedId({ ...answer, sourceType: SEED_TYPE }), transformer);
  }

  async #decrypt(object: EncryptedObject): Promise<Uint8Array> {
    const request = new WireWriter(512, FRAME_HEADER)
      .bytes(1, object.source)
      .string(2, randomUUID())
      .string(3, object.keyId);
    for (const [key, value] of object.annotations) request.bytes(4, mapEntry(key, value));
    try {
      return firstField(await this.#plugin.call("Decrypt", request));
    } catch (error) {
      throw new Error(`failed to decrypt DEK, error: ${messageOf(error)}`, { cause: error });
    }
  }

  #remember(id: string, seed: ValueTransformer): void {
    const oldest = this.#seeds.keys().next();
    if (this.#seeds.size >= MAX_SEEDS && oldest.done !== true) this.#seeds.delete(oldest.value);
    this.#seeds.set(id, seed);
  }
}

function checkKeyId(keyId: string): void {
  if (keyId === "") throw new Error("keyID is empty");
  if (Buffer.byteLength(keyId) > MAX_KEY_ID) throw new Error("keyID is too long");
}

function seedId(object: Omit<EncryptedObject, "data">): string {
  const { sourceType, source, keyId, annotations } = object;
  const parts = [String(sourceType), Buffer.from(source).toString("base64"), keyId];
  for (const [key, value] of [...annotations].sort())
    parts.push(key, Buffer.from(value).toString("base64"));
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}

/** Field numbers of EncryptedObject, kmsv2/v2/api.proto. */
function encodeObject(object: EncryptedObject): Buffer {
  const out = new WireWriter(object.data.length + 512)
    .bytes(1, object.data)
    .string(2, object.keyId)
    .bytes(3, object.source);
  for (const [key, value] of [...object.annotations].sort()) out.bytes(4, mapEntry(key, value));
  return out.int(5, object.sourceType).finish();
}

function decodeObject(bytes: Buffer): EncryptedObject {
  const reader = new WireReader(bytes);
  const empty = Buffer.alloc(0);
  const object: EncryptedObject = {
    data: empty,
    keyId: "",
    source: empty,
    annotations: [],
    sourceType: 0,
  };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) object.data = reader.bytes();
    else if (field === 2) object.keyId = reader.string();
    else if (field === 3) object.source = reader.bytes();
    else if (field === 4) object.annotations.push(readMapEntry(reader.message()));
    else if (field === 5) object.sourceType = reader.int();
    else reader.skip();
  }
  if (object.sourceType > 1)
    throw new Error(`unknown encryptedDEKSourceType: ${object.sourceType}`);
  if (object.data.length === 0) throw new Error("encrypted data is empty");
  return object;
}

function mapEntry(key: string, value: Uint8Array): Buffer {
  return new WireWriter(key.length * 2 + value.length + 16).string(1, key).bytes(2, value).finish();
}
function readMapEntry(reader: WireReader): [string, Uint8Array] {
  let [key, value]: [string, Uint8Array] = ["", Buffer.alloc(0)];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) key = reader.string();
    else if (field === 2) value = Buffer.from(reader.bytes());
    else reader.skip();
  }
  return [key, value];
}

function decodeStatus(bytes: Buffer): { version: string; health: string; keyId: string } {
  const reader = new WireReader(bytes);
  const status = { version: "", health: "", keyId: "" };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) status.version = reader.string();
    else if (field === 2) status.health = reader.string();
    else if (field === 3) status.keyId = reader.string();
    else reader.skip();
  }
  return status;
}

function decodeEncrypt(bytes: Buffer): {
  source: Uint8Array;
  keyId: string;
  annotations: [string, Uint8Array][];
} {
  const reader = new WireReader(bytes);
  const annotations: [string, Uint8Array][] = [];
  let source: Uint8Array = Buffer.alloc(0);
  let keyId = "";
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) source = Buffer.from(reader.bytes());
    else if (field === 2) keyId = reader.string();
    else if (field === 3) annotations.push(readMapEntry(reader.message()));
    else reader.skip();
  }
  return { source, keyId, annotations };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
