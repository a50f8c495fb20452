/**
 * What the revision store needs of whatever keeps its records: memory for the model, lmdb for the
 * embedded store. One record per revision, in order, never changed once appended.
 */

/** What is known of one write without its value. Held in memory for every revision kept. */
export interface RecordMeta {
  readonly revision: number;
  readonly key: string;
  readonly deleted: boolean;
  readonly create: number;
  readonly version: number;
  readonly lease: bigint;
  /** The revision of the write before this one on the same key; 0 when there was none. */
  readonly previous: number;
  /** Bytes of the value, for the accounts. */
  readonly size: number;
}
export interface LogRecord {
  readonly meta: RecordMeta;
  /** Empty for a deletion. */
  readonly value: Uint8Array;
}
export interface LeaseRecord {
  readonly id: bigint;
  readonly ttlSeconds: number;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}
/** What a log held when it was opened. `records` are in the order of their revisions. */
export interface LogState {
  readonly revision: number;
  readonly compacted: number;
  readonly records: Iterable<RecordMeta>;
  readonly leases: readonly LeaseRecord[];
}

/** Every method rejects (or throws) with StorageError. */
export interface RecordLog {
  /** Resolves once the records survive a power cut. All or none of them are kept on failure. */
  append(records: readonly LogRecord[]): Promise<void>;
  /** The value written at `revision`; undefined when it has been removed. */
  value(revision: number): Uint8Array | undefined;
  /** The write at `revision` without its value; undefined when it has been removed. */
  meta(revision: number): RecordMeta | undefined;
  /** Removes records, and remembers up to where history is gone. */
  remove(revisions: readonly number[], compacted: number): Promise<void>;
  putLease(lease: LeaseRecord): Promise<void>;
  removeLease(id: bigint): Promise<void>;
  sizeBytes(): number;
  /** Throws when the log can not be read or written any more. */
  check(): void;
  close(): Promise<void>;
}
