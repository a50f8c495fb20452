/** KvBackend over an etcd cluster. Upstream: clientv3, as storage/etcd3 uses it. */
import type {
  CasRequest,
  CasResult,
  KvBackend,
  KvWatchMessage,
  RangeRequest,
  RangeResult,
  Revision,
} from "../interfaces.ts";
import { prefixEnd } from "../keys.ts";
import { EtcdClient, type EtcdClientOptions } from "./client.ts";
import { FRAME_HEADER, toStorageError } from "./grpc-status.ts";
import {
  decodeCas,
  decodeLeaseGrant,
  decodeRange,
  decodeStatus,
  encodeCas,
  encodeCompaction,
  encodeLeaseGrant,
  encodeLeaseRevoke,
  encodeRange,
} from "./messages.ts";
import { type WatchStream, watchEtcd } from "./watcher.ts";
import { WireWriter } from "./wire.ts";

const READ_MS = 15_000;
const WRITE_MS = 30_000;
const COMPACT_MS = 60_000;

export interface EtcdBackendOptions extends EtcdClientOptions {
  /** Whether watch events carry the value before; costs etcd a read per event. Default true. */
  readonly previousValues?: boolean;
  /** A key that health checks and currentRevision may read. Default `/registry/health`. */
  readonly probeKey?: string;
}

export class EtcdBackend implements KvBackend {
  readonly #client: EtcdClient;
  readonly #previous: boolean;
  readonly #probeKey: string;
  readonly #streams = new Set<WatchStream>();
  #progressIsSound = true;
  #versionAsked = false;

  constructor(options: EtcdBackendOptions) {
    this.#client = new EtcdClient(options);
    this.#previous = options.previousValues ?? true;
    this.#probeKey = options.probeKey ?? "/registry/health";
  }

  async range(request: RangeRequest, signal?: AbortSignal): Promise<RangeResult> {
    const body = encodeRange(request, FRAME_HEADER);
    const asked = request.revision ?? 0;
    const answer = await this.#read("/etcdserverpb.KV/Range", body, READ_MS, signal, asked);
    return decodeRange(answer);
  }

  async cas(request: CasRequest, signal?: AbortSignal): Promise<CasResult> {
    const body = encodeCas(request, FRAME_HEADER);
    const answer = decodeCas(await this.#write("/etcdserverpb.KV/Txn", body, WRITE_MS, signal));
    const { revision, succeeded, current } = answer;
    // A deletion of an absent key that was expected to be absent: nothing was written.
    if (succeeded && (request.value !== undefined || request.expected !== 0)) {
      return { ok: true, revision };
    }
    return { ok: false, revision, current };
  }

  async currentRevision(signal?: AbortSignal): Promise<Revision> {
    if (!this.#versionAsked) void this.#learnVersion();
    return (await this.#probe(READ_MS, signal)).revision;
  }

  /**
   * False with an etcd whose progress messages may run ahead of events: a consistent read must not
   * be answered from a cache then. Upstream: storage/feature/feature_support_checker.go.
   */
  get progressIsSound(): boolean {
    return this.#progressIsSound;
  }

  watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<KvWatchMessage> {
    const options = {
      client: this.#client,
      prefix: prefix === "" ? "\0" : prefix,
      end: prefixEnd(prefix),
      previous: this.#previous,
      streams: this.#streams,
    };
    return watchEtcd(options, from, signal);
  }

  requestProgress(): void {
    for (const stream of this.#streams) stream.requestProgress();
  }

  async grantLease(ttlSeconds: number): Promise<bigint> {
    const body = encodeLeaseGrant(ttlSeconds, FRAME_HEADER);
    return decodeLeaseGrant(await this.#write("/etcdserverpb.Lease/LeaseGrant", body, WRITE_MS));
  }

  async revokeLease(lease: bigint): Promise<void> {
    const body = encodeLeaseRevoke(lease, FRAME_HEADER);
    await this.#write("/etcdserverpb.Lease/LeaseRevoke", body, WRITE_MS);
  }

  async compact(revision: Revision): Promise<void> {
    const body = encodeCompaction(revision, FRAME_HEADER);
    await this.#write("/etcdserverpb.KV/Compact", body, COMPACT_MS, undefined, revision);
  }

  async health(timeoutMs: number): Promise<void> {
    await this.#probe(timeoutMs);
  }

  async sizeBytes(): Promise<number> {
    const body = new WireWriter(32, FRAME_HEADER).finish();
    const answer = await this.#read("/etcdserverpb.Maintenance/Status", body, READ_MS);
    return decodeStatus(answer).size;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async #learnVersion(): Promise<void> {
    this.#versionAsked = true;
    try {
      const body = new WireWriter(32, FRAME_HEADER).finish();
      const answer = await this.#read("/etcdserverpb.Maintenance/Status", body, READ_MS);
      this.#progressIsSound = hasSoundProgress(decodeStatus(answer).version);
    } catch {
      this.#versionAsked = false; // asked again with the next read
    }
  }

  async #probe(timeoutMs: number, signal?: AbortSignal): Promise<RangeResult> {
    const request = { start: this.#probeKey, end: `${this.#probeKey}\0`, countOnly: true };
    const body = encodeRange(request, FRAME_HEADER);
    return decodeRange(await this.#read("/etcdserverpb.KV/Range", body, timeoutMs, signal));
  }

  async #read(
    path: string,
    body: Buffer,
    timeoutMs: number,
    signal?: AbortSignal,
    asked = 0,
  ): Promise<Buffer> {
    try {
      return await this.#client.read(path, body, timeoutMs, signal);
    } catch (error) {
      throw toStorageError(error, false, asked);
    }
  }

  async #write(
    path: string,
    body: Buffer,
    timeoutMs: number,
    signal?: AbortSignal,
    asked = 0,
  ): Promise<Buffer> {
    try {
      return await this.#client.write(path, body, timeoutMs, signal);
    } catch (error) {
      throw toStorageError(error, true, asked);
    }
  }
}

/** 3.4.31 and 3.5.13 are the first of their lines that upstream trusts. */
export function hasSoundProgress(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  if (major !== 3) return major > 3;
  if (minor === 4) return patch >= 31;
  if (minor === 5) return patch >= 13;
  return minor > 5;
}

/** Opens nothing yet: the first call connects. */
export function createEtcdBackend(options: EtcdBackendOptions): EtcdBackend {
  return new EtcdBackend(options);
}

/** Whether caches over this backend may answer consistent reads. */
export function knowsProgress(backend: KvBackend): boolean {
  return !(backend instanceof EtcdBackend) || backend.progressIsSound;
}
