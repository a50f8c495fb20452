/**
 * `klystron snapshot save|restore`, and moves between the embedded store and etcd. A snapshot is the
 * present state with its revisions: a restored store goes on behind the saved revision, so that no
 * client ever sees a resourceVersion go back. History is not saved; watches from before get 410.
 *
 * File: a magic line; frames of a uint32 length and msgpack [key, value, create, mod, version,
 * leased]; a frame of length 0; the SHA-256 of all before it.
 */
import { createHash, type Hash } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Packr } from "msgpackr";
import { StorageError } from "../errors.ts";
import {
  asRevision,
  asStorageKey,
  type KeyValue,
  type KvBackend,
  type Revision,
} from "../interfaces.ts";
import type { LogRecord } from "../mvcc/log.ts";
import { lockDirectory } from "./directory-lock.ts";
import { openLmdbLog } from "./lmdb-log.ts";
import { openEmbeddedStore, STORE_FILE } from "./store.ts";

const MAGIC = Buffer.from("KLYSTRON-SNAPSHOT-1\n");
const PAGE = 500;
const BATCH_BYTES = 4 * 1024 * 1024;
/** No value of the store is larger, so a longer frame is damage. */
const MAX_FRAME = 16 * 1024 * 1024;
const EXPORT_IN_FLIGHT = 64;
/** What is left of a lease is not saved: keys that had one live this long after a restore. */
const RESTORED_TTL_SECONDS = 3600;

export interface SnapshotInfo {
  readonly revision: Revision;
  readonly keys: number;
  readonly bytes: number;
}

/** Told the number of keys so far, after every few hundred. */
export type Progress = (keys: number) => void;

const packr = new Packr({ useRecords: false });
/** The first frame. */
type Header = readonly [revision: number];
type Frame = readonly [
  key: string,
  value: Uint8Array,
  create: number,
  mod: number,
  version: number,
  leased: boolean,
];

/** Saves the store of `directory`, which no server may have open. The file appears when complete. */
export async function saveSnapshot(
  directory: string,
  file: string,
  progress?: Progress,
): Promise<SnapshotInfo> {
  if (!existsSync(join(directory, STORE_FILE))) throw refused(`there is no store in ${directory}`);
  const store = await openEmbeddedStore({ directory });
  try {
    return await saveSnapshotOf(store, file, progress);
  } finally {
    await store.close();
  }
}

/** Saves the state of any backend as of one revision. */
export async function saveSnapshotOf(
  backend: KvBackend,
  file: string,
  progress?: Progress,
): Promise<SnapshotInfo> {
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.partial`;
  const handle = await open(partial, "w", 0o600);
  try {
    const out = new FrameWriter(handle);
    await out.raw(MAGIC);
    const revision = await backend.currentRevision();
    await out.frame(packr.pack([revision] satisfies Header));
    let keys = 0;
    for await (const kv of counted(readState(backend, revision), progress)) {
      const { key, value, createRevision, modRevision, version, lease } = kv;
      const row: Frame = [key, value, createRevision, modRevision, version, lease !== 0n];
      await out.frame(packr.pack(row));
      keys++;
    }
    const bytes = await out.finish();
    await handle.sync();
    await handle.close();
    await rename(partial, file);
    return { revision, keys, bytes };
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
}

/** Makes the store of `directory` from a snapshot. Rejects when there is a store already. */
export async function restoreSnapshot(
  file: string,
  directory: string,
  progress?: Progress,
): Promise<SnapshotInfo> {
  const handle = await open(file, "r").catch((cause: unknown) => {
    throw refused(`the snapshot ${file} can not be read: ${String(cause)}`);
  });
  try {
    const reader = new FrameReader(handle, file);
    await reader.expect(MAGIC);
    const header = packr.unpack((await reader.frame()) ?? reader.fail()) as Header;
    const frames = async function* (): AsyncIterable<KeyValue> {
      for (let frame = await reader.frame(); frame !== undefined; frame = await reader.frame()) {
        yield keyValueOf(packr.unpack(frame) as Frame);
      }
      await reader.checkDigest();
    };
    const keys = await writeStore(directory, asRevision(header[0]), counted(frames(), progress));
    return { revision: asRevision(header[0]), keys, bytes: reader.position };
  } finally {
    await handle.close();
  }
}

/** Makes the store of `directory` from a running etcd, revisions included. */
export async function importStore(
  from: KvBackend,
  directory: string,
  progress?: Progress,
): Promise<SnapshotInfo> {
  const revision = await from.currentRevision();
  const keys = await writeStore(directory, revision, counted(readState(from, revision), progress));
  return { revision, keys, bytes: 0 };
}

/** Writes every key under `prefix` to another store, which must have none there: new revisions. */
export async function exportStore(
  from: KvBackend,
  to: KvBackend,
  prefix: string,
  progress?: Progress,
): Promise<number> {
  const end = `${prefix}\u{10ffff}`;
  const there = await to.range({ start: prefix, end, limit: 1, keysOnly: true });
  if (there.count > 0) throw refused(`the target already has ${there.count} keys under ${prefix}`);
  const revision = await from.currentRevision();
  const flying = new Set<Promise<void>>();
  let keys = 0;
  let failed: unknown;
  for await (const kv of counted(readState(from, revision), progress)) {
    if (!kv.key.startsWith(prefix)) continue;
    if (failed !== undefined) break;
    const job = writeOne(to, kv)
      .catch((error: unknown) => {
        failed ??= error;
      })
      .finally(() => flying.delete(job));
    flying.add(job);
    keys++;
    if (flying.size >= EXPORT_IN_FLIGHT) await Promise.race(flying);
  }
  await Promise.all(flying);
  if (failed !== undefined) throw failed;
  return keys;
}

async function writeOne(to: KvBackend, kv: KeyValue): Promise<void> {
  const leased = kv.lease === 0n ? {} : { lease: await to.grantLease(RESTORED_TTL_SECONDS) };
  const { key, value } = kv;
  const result = await to.cas({ key, expected: asRevision(0), value, ...leased });
  if (!result.ok) throw new StorageError({ code: "KeyExists", key });
}

async function* readState(backend: KvBackend, revision: Revision): AsyncIterable<KeyValue> {
  let start = "\0";
  for (;;) {
    const page = await backend.range({ start, end: "\0", limit: PAGE, revision });
    yield* page.kvs;
    const last = page.kvs[page.kvs.length - 1];
    if (!page.more || last === undefined) return;
    start = `${last.key}\0`;
  }
}

async function* counted(
  kvs: AsyncIterable<KeyValue>,
  progress: Progress | undefined,
): AsyncIterable<KeyValue> {
  let keys = 0;
  for await (const kv of kvs) {
    yield kv;
    if (++keys % PAGE === 0) progress?.(keys);
  }
}

async function writeStore(
  directory: string,
  revision: Revision,
  kvs: AsyncIterable<KeyValue>,
): Promise<number> {
  const lock = lockDirectory(directory);
  const final = join(directory, STORE_FILE);
  const partial = `${final}.partial`;
  try {
    if (existsSync(final)) throw refused(`there is a store in ${directory} already`);
    await rm(partial, { force: true });
    await rm(`${partial}-lock`, { force: true });
    const log = openLmdbLog(partial);
    try {
      log.load();
      const keys = await log.restore(revision, recordsOf(kvs, log));
      await log.close();
      await rename(partial, final);
      await syncDirectory(directory);
      return keys;
    } catch (error) {
      await log.close().catch(() => {});
      throw error;
    }
  } finally {
    await rm(partial, { force: true });
    await rm(`${partial}-lock`, { force: true });
    lock.release();
  }
}

/** Records in batches of bounded size; leased keys share one new lease. */
async function* recordsOf(
  kvs: AsyncIterable<KeyValue>,
  log: ReturnType<typeof openLmdbLog>,
): AsyncIterable<LogRecord[]> {
  const lease = { id: 1n, ttlSeconds: RESTORED_TTL_SECONDS, deadline: 0 };
  let granted = false;
  let batch: LogRecord[] = [];
  let bytes = 0;
  for await (const kv of kvs) {
    if (kv.lease !== 0n && !granted) {
      granted = true;
      await log.putLease({ ...lease, deadline: Date.now() + RESTORED_TTL_SECONDS * 1000 });
    }
    batch.push(recordOf(kv, kv.lease === 0n ? 0n : lease.id));
    bytes += kv.value.length + 200;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

function recordOf(kv: KeyValue, lease: bigint): LogRecord {
  const meta = {
    revision: kv.modRevision,
    key: kv.key,
    deleted: false,
    create: kv.createRevision,
    version: kv.version,
    lease,
    previous: 0,
    size: kv.value.length,
  };
  return { meta, value: kv.value };
}

function keyValueOf(frame: Frame): KeyValue {
  const [key, value, create, mod, version, leased] = frame;
  return {
    key: asStorageKey(key),
    value,
    createRevision: asRevision(create),
    modRevision: asRevision(mod),
    version,
    lease: leased ? 1n : 0n,
  };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  await handle.sync();
  await handle.close();
}

function refused(message: string): StorageError {
  return new StorageError({ code: "Refused", message });
}

class FrameWriter {
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #parts: Buffer[] = [];
  #pending = 0;
  #written = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }
  async raw(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes);
    this.#parts.push(bytes);
    this.#pending += bytes.length;
    if (this.#pending >= BATCH_BYTES) await this.#flush();
  }
  async frame(packed: Buffer): Promise<void> {
    const framed = Buffer.allocUnsafe(4 + packed.length);
    framed.writeUInt32LE(packed.length, 0);
    framed.set(packed, 4);
    await this.raw(framed);
  }
  /** Ends the file; returns its size. */
  async finish(): Promise<number> {
    await this.raw(Buffer.alloc(4));
    const digest = this.#hash.digest();
    this.#parts.push(digest);
    this.#pending += digest.length;
    await this.#flush();
    return this.#written;
  }
  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#pending = 0;
    this.#written += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      at += (await this.#handle.write(bytes, at)).bytesWritten;
    }
  }
}

class FrameReader {
  position = 0;
  readonly #handle: FileHandle;
  readonly #file: string;
  readonly #hash: Hash = createHash("sha256");
  #buffer = Buffer.alloc(0);

  constructor(handle: FileHandle, file: string) {
    this.#handle = handle;
    this.#file = file;
  }
  async expect(bytes: Buffer): Promise<void> {
    const read = await this.#take(bytes.length);
    this.#hash.update(read);
    if (!read.equals(bytes)) this.fail();
  }
  /** Undefined at the closing frame. */
  async frame(): Promise<Buffer | undefined> {
    const header = await this.#take(4);
    this.#hash.update(header);
    const length = header.readUInt32LE(0);
    if (length === 0) return undefined;
    if (length > MAX_FRAME) this.fail();
    const body = await this.#take(length);
    this.#hash.update(body);
    return body;
  }
  async checkDigest(): Promise<void> {
    const digest = this.#hash.digest();
    if (!(await this.#take(digest.length)).equals(digest)) this.fail();
  }
  fail(): never {
    throw refused(`${this.#file} is no snapshot, or it is damaged (at byte ${this.position})`);
  }
  async #take(length: number): Promise<Buffer> {
    while (this.#buffer.length < length) {
      const chunk = Buffer.allocUnsafe(Math.max(length, 1024 * 1024));
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length);
      if (bytesRead === 0) this.fail();
      this.#buffer = Buffer.concat([this.#buffer, chunk.subarray(0, bytesRead)]);
    }
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    this.position += length;
    return taken;
  }
}
