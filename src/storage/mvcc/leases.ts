/** Which keys hang on which lease, and which leases are over. Holds no timer of its own. */
import type { LeaseRecord } from "./log.ts";

interface Lease {
  readonly record: LeaseRecord;
  readonly keys: Set<string>;
}

export class LeaseTable {
  readonly #leases = new Map<bigint, Lease>();

  add(record: LeaseRecord): void {
    this.#leases.set(record.id, { record, keys: new Set() });
  }
  has(id: bigint): boolean {
    return this.#leases.has(id);
  }
  get size(): number {
    return this.#leases.size;
  }
  remove(id: bigint): void {
    this.#leases.delete(id);
  }
  attach(id: bigint, key: string): void {
    this.#leases.get(id)?.keys.add(key);
  }
  detach(id: bigint, key: string): void {
    this.#leases.get(id)?.keys.delete(key);
  }
  keysOf(id: bigint): readonly string[] {
    return [...(this.#leases.get(id)?.keys ?? [])];
  }
  /** Leases whose time is over at `now` (milliseconds since 1970). */
  expired(now: number): readonly bigint[] {
    const over: bigint[] = [];
    for (const [id, lease] of this.#leases) if (lease.record.deadline <= now) over.push(id);
    return over;
  }
}
