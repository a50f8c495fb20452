/** etcd's messages that a Kubernetes store needs (etcdserverpb/rpc.proto, mvccpb/kv.proto). */
import {
  asRevision,
  asStorageKey,
  type CasRequest,
  type KeyValue,
  type KvEvent,
  type RangeRequest,
  type Revision,
} from "../interfaces.ts";
import { WireReader, WireWriter } from "./wire.ts";

const COMPARE_EQUAL = 0;
const TARGET_MOD = 2;
const EMPTY = new Uint8Array(0);

export function encodeRange(request: RangeRequest, reserve: number): Buffer {
  const out = new WireWriter(128 + request.start.length * 2, reserve).string(1, request.start);
  if (request.end !== `${request.start}\0` || request.start === "") out.string(2, request.end);
  out.int(3, request.limit ?? 0).int(4, request.revision ?? 0);
  return out
    .bool(8, request.keysOnly === true)
    .bool(9, request.countOnly === true)
    .finish();
}

export interface RangeAnswer {
  revision: Revision;
  kvs: KeyValue[];
  more: boolean;
  count: number;
}
export function decodeRange(bytes: Buffer): RangeAnswer {
  return readRange(new WireReader(bytes));
}
function readRange(reader: WireReader): RangeAnswer {
  const answer: RangeAnswer = { revision: asRevision(0), kvs: [], more: false, count: 0 };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) answer.revision = readHeader(reader.message());
    else if (field === 2) answer.kvs.push(readKeyValue(reader.message()));
    else if (field === 3) answer.more = reader.int() !== 0;
    else if (field === 4) answer.count = reader.int();
    else reader.skip();
  }
  return answer;
}

/** If the key's mod revision is as expected: put or delete; else: read what is there. */
export function encodeCas(request: CasRequest, reserve: number): Buffer {
  const key = request.key;
  const size = (request.value?.length ?? 0) + key.length * 6 + 128;
  const range = new WireWriter(key.length * 2 + 16).string(1, key).finish();
  const compare = new WireWriter(key.length * 2 + 32)
    .int(1, COMPARE_EQUAL)
    .int(2, TARGET_MOD)
    .string(3, key)
    .intAlways(6, request.expected); // absent, the union compares with nothing
  const out = new WireWriter(size, reserve).bytes(1, compare.finish());
  if (request.value === undefined) {
    const del = new WireWriter(key.length * 2 + 16).string(1, key).finish();
    out.bytes(2, new WireWriter(del.length + 16).bytes(3, del).finish());
  } else {
    const put = new WireWriter(request.value.length + key.length * 2 + 32)
      .string(1, key)
      .bytes(2, request.value)
      .bigint(3, request.lease ?? 0n)
      .finish();
    out.bytes(2, new WireWriter(put.length + 16).bytes(2, put).finish());
  }
  return out.bytes(3, new WireWriter(range.length + 16).bytes(1, range).finish()).finish();
}

export interface CasAnswer {
  revision: Revision;
  succeeded: boolean;
  current: KeyValue | undefined;
}
export function decodeCas(bytes: Buffer): CasAnswer {
  const reader = new WireReader(bytes);
  const answer: CasAnswer = { revision: asRevision(0), succeeded: false, current: undefined };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) answer.revision = readHeader(reader.message());
    else if (field === 2) answer.succeeded = reader.int() !== 0;
    else if (field === 3) {
      const op = reader.message();
      for (let kind = op.field(); kind !== 0; kind = op.field()) {
        if (kind === 1) answer.current = readRange(op.message()).kvs[0];
        else op.skip();
      }
    } else reader.skip();
  }
  return answer;
}

export function encodeCompaction(revision: number, reserve: number): Buffer {
  return new WireWriter(32, reserve).int(1, revision).finish();
}
export function encodeLeaseGrant(ttlSeconds: number, reserve: number): Buffer {
  return new WireWriter(32, reserve).int(1, ttlSeconds).finish();
}
export function decodeLeaseGrant(bytes: Buffer): bigint {
  const reader = new WireReader(bytes);
  let id = 0n;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) id = reader.bigint();
    else reader.skip();
  }
  return id;
}
export function encodeLeaseRevoke(lease: bigint, reserve: number): Buffer {
  return new WireWriter(32, reserve).bigint(1, lease).finish();
}

/** `sizeInUse` without free pages; 0 from servers before 3.4. */
export function decodeStatus(bytes: Buffer): { version: string; size: number; sizeInUse: number } {
  const reader = new WireReader(bytes);
  const status = { version: "", size: 0, sizeInUse: 0 };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) status.version = reader.string();
    else if (field === 3) status.size = reader.int();
    else if (field === 9) status.sizeInUse = reader.int();
    else reader.skip();
  }
  return status;
}

export function encodeAuthenticate(name: string, password: string, reserve: number): Buffer {
  return new WireWriter(128, reserve).string(1, name).string(2, password).finish();
}
export function decodeAuthenticate(bytes: Buffer): string {
  const reader = new WireReader(bytes);
  let token = "";
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) token = reader.string();
    else reader.skip();
  }
  return token;
}

export interface WatchCreate {
  readonly start: string;
  readonly end: string;
  readonly from: number;
  readonly previous: boolean;
}
export function encodeWatchCreate(create: WatchCreate, reserve: number): Buffer {
  const inner = new WireWriter()
    .string(1, create.start)
    .string(2, create.end)
    .int(3, create.from)
    .bool(4, true)
    .bool(6, create.previous)
    .bool(8, true)
    .finish();
  return new WireWriter(inner.length + 16, reserve).bytes(1, inner).finish();
}
export function encodeWatchProgress(reserve: number): Buffer {
  return new WireWriter(32, reserve).bytes(3, EMPTY).finish();
}

export interface WatchAnswer {
  revision: Revision;
  created: boolean;
  canceled: boolean;
  compactRevision: number;
  cancelReason: string;
  fragment: boolean;
  events: KvEvent[];
}
export function decodeWatch(bytes: Buffer): WatchAnswer {
  const reader = new WireReader(bytes);
  const answer: WatchAnswer = {
    revision: asRevision(0),
    created: false,
    canceled: false,
    compactRevision: 0,
    cancelReason: "",
    fragment: false,
    events: [],
  };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) answer.revision = readHeader(reader.message());
    else if (field === 3) answer.created = reader.int() !== 0;
    else if (field === 4) answer.canceled = reader.int() !== 0;
    else if (field === 5) answer.compactRevision = reader.int();
    else if (field === 6) answer.cancelReason = reader.string();
    else if (field === 7) answer.fragment = reader.int() !== 0;
    else if (field === 11) answer.events.push(readEvent(reader.message()));
    else reader.skip();
  }
  return answer;
}

function readHeader(reader: WireReader): Revision {
  let revision = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 3) revision = reader.int();
    else reader.skip();
  }
  return asRevision(revision);
}

function readKeyValue(reader: WireReader): KeyValue {
  let key = "";
  let value: Uint8Array = EMPTY;
  let [create, mod, version, lease] = [0, 0, 0, 0n];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) key = reader.string();
    else if (field === 2) create = reader.int();
    else if (field === 3) mod = reader.int();
    else if (field === 4) version = reader.int();
    else if (field === 5) value = reader.bytes();
    else if (field === 6) lease = reader.bigint();
    else reader.skip();
  }
  return {
    key: asStorageKey(key),
    value,
    modRevision: asRevision(mod),
    createRevision: asRevision(create),
    version,
    lease,
  };
}

function readEvent(reader: WireReader): KvEvent {
  let deleted = false;
  let kv: KeyValue | undefined;
  let previous: KeyValue | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) deleted = reader.int() === 1;
    else if (field === 2) kv = readKeyValue(reader.message());
    else if (field === 3) previous = readKeyValue(reader.message());
    else reader.skip();
  }
  if (kv === undefined) throw new RangeError("an event without a key");
  return {
    type: deleted ? "DELETE" : "PUT",
    key: kv.key,
    revision: kv.modRevision,
    value: deleted ? EMPTY : kv.value,
    createRevision: kv.createRevision,
    previous: previous?.value,
  };
}
