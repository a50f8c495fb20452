/**
 * Node ports: one bitmap in the store, changed by compare-and-swap, in the form and at the key
 * that kube-apiserver uses. Upstream: pkg/registry/core/service/portallocator and allocator/storage.
 */
import { decodeProtobuf } from "../../../apimachinery/runtime/protobuf-decode.ts";
import { encodeProtobuf, PROTOBUF_PREFIX } from "../../../apimachinery/runtime/protobuf-encode.ts";
import type { RangeAllocation } from "../../../apis/core/v1/types.ts";
import { structOf } from "../../../apis/schemas.ts";
import {
  asRevision,
  asStorageKey,
  type KeyValue,
  type KvBackend,
} from "../../../storage/interfaces.ts";
import { AllocationError } from "./ip-allocator.ts";
import { PortBitmap, type PortRange, parseRangeText, rangeText } from "./port-bitmap.ts";

/** Writers that lose this often in a row give up. */
const TRIES_MAX = 64;

export class NodePortAllocator {
  readonly #backend: KvBackend;
  readonly #key: string;
  readonly range: PortRange;
  /** This thread's changes run one after the other: they would only get in each other's way. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(backend: KvBackend, etcdPrefix: string, range: PortRange) {
    this.#backend = backend;
    this.#key = `${etcdPrefix.replace(/\/$/, "")}/ranges/servicenodeports`;
    this.range = range;
  }

  /** Takes `port`. Throws AllocationError. */
  async allocate(port: number): Promise<void> {
    await this.#change((bitmap) => {
      if (!bitmap.inRange(port)) throw notInRange(this.range);
      if (!bitmap.take(port)) throw new AllocationError("provided port is already allocated");
    });
  }

  /** Takes any free port. Throws AllocationError when all are taken. */
  async allocateNext(): Promise<number> {
    let port: number | undefined;
    await this.#change((bitmap) => {
      port = bitmap.takeNext();
      if (port === undefined) throw new AllocationError("range is full");
    });
    return port ?? 0;
  }

  /** Gives ports back. Ones that are not taken are no error. */
  async release(ports: readonly number[]): Promise<void> {
    if (ports.length === 0) return;
    await this.#change((bitmap) => {
      for (const port of ports) bitmap.release(port);
    });
  }

  async has(port: number): Promise<boolean> {
    return (await this.#read()).bitmap.has(port);
  }

  /** Makes the stored bitmap what `make` returns for the one that stands there; for repair. */
  async replace(make: (stored: PortBitmap) => PortBitmap | Promise<PortBitmap>): Promise<void> {
    await this.#serialized(async () => {
      const { bitmap, current } = await this.#read();
      const made = await make(bitmap);
      const result = await this.#swap(current, made);
      if (!result.ok) throw new AllocationError("the node port range changed during its repair");
    });
  }

  async #change(change: (bitmap: PortBitmap) => void): Promise<void> {
    await this.#serialized(async () => {
      let state = await this.#read();
      for (let tries = 1; ; tries++) {
        change(state.bitmap);
        const result = await this.#swap(state.current, state.bitmap);
        if (result.ok) return;
        if (tries >= TRIES_MAX)
          throw new AllocationError("too many writers of the node port range");
        state = this.#decode(result.current);
      }
    });
  }

  async #serialized<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(run, run);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #read() {
    const { kvs } = await this.#backend.range({
      start: this.#key,
      end: `${this.#key}\0`,
      limit: 1,
    });
    return this.#decode(kvs[0]);
  }

  #decode(current: KeyValue | undefined): { bitmap: PortBitmap; current: KeyValue | undefined } {
    if (current === undefined) return { bitmap: new PortBitmap(this.range), current };
    const { range = "", data = "" } = decodeAllocation(current.value);
    const stored = parseRangeText(range) ?? this.range;
    const bytes = Buffer.from(data, "base64");
    return { bitmap: PortBitmap.restore(this.range, stored, bytes), current };
  }

  #swap(current: KeyValue | undefined, bitmap: PortBitmap) {
    const data = Buffer.from(bitmap.bytes()).toString("base64");
    const allocation = { metadata: {}, range: rangeText(this.range), data };
    const gvk = { group: "", version: "v1", kind: "RangeAllocation" };
    return this.#backend.cas({
      key: asStorageKey(this.#key),
      expected: current?.modRevision ?? asRevision(0),
      value: encodeProtobuf(allocation, allocationSchema(), gvk),
    });
  }
}

const allocationSchema = () => structOf("k8s.io/api/core/v1.RangeAllocation");

function decodeAllocation(value: Uint8Array): RangeAllocation {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (!bytes.subarray(0, PROTOBUF_PREFIX.length).equals(PROTOBUF_PREFIX)) {
    return JSON.parse(bytes.toString("utf8")) as RangeAllocation;
  }
  return decodeProtobuf(bytes, allocationSchema()).object as RangeAllocation;
}

export function notInRange(range: PortRange): AllocationError {
  const valid = `The range of valid ports is ${rangeText(range)}`;
  return new AllocationError(`provided port is not in the valid range. ${valid}`);
}

/** Where a dry run starts when it makes up ports. */
const DRY_RUN_PORT = 32768;

/**
 * The ports of one write. It is better to leak a port than to give it twice: so ports are taken at
 * once, and given back only after the write. Upstream: portallocator.PortAllocationOperation.
 */
export class PortOperation {
  readonly #allocator: NodePortAllocator;
  readonly #dryRun: boolean;
  readonly #allocated: number[] = [];
  readonly #released: number[] = [];

  constructor(allocator: NodePortAllocator, dryRun: boolean) {
    this.#allocator = allocator;
    this.#dryRun = dryRun;
  }

  async allocate(port: number): Promise<void> {
    if (!this.#dryRun) await this.#allocator.allocate(port);
    else if (this.#allocated.includes(port) || (await this.#allocator.has(port))) {
      throw new AllocationError("provided port is already allocated");
    }
    this.#allocated.push(port);
  }

  async allocateNext(): Promise<number> {
    const port = this.#dryRun
      ? Math.max(DRY_RUN_PORT * Number(this.#allocated.length === 0), ...this.#allocated) + 1
      : await this.#allocator.allocateNext();
    this.#allocated.push(port);
    return port;
  }

  releaseLater(ports: readonly number[]): void {
    this.#released.push(...ports);
  }

  async commit(): Promise<void> {
    if (!this.#dryRun) await this.#allocator.release(this.#released);
  }

  async revert(): Promise<void> {
    if (!this.#dryRun) await this.#allocator.release(this.#allocated.splice(0));
  }
}
