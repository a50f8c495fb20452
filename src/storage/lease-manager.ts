/**
 * Shares leases between objects with a TTL, so that a storm of events does not become a storm of
 * leases. Upstream: storage/etcd3/lease_manager.go.
 */
import type { KvBackend } from "./interfaces.ts";

/** A lease is reused while objects come within this time, or 5 % of the TTL if that is less. */
const REUSE_SECONDS = 60;
const REUSE_PERCENT = 0.05;
const MAX_OBJECTS = 1000;

interface Shared {
  readonly id: Promise<bigint>;
  /** Seconds since 1970 at which the lease ends; later than any object's own wish. */
  readonly expires: number;
  readonly ttl: number;
  objects: number;
}

export class LeaseManager {
  readonly #backend: Pick<KvBackend, "grantLease">;
  readonly #now: () => number;
  #shared: Shared | undefined;

  constructor(backend: Pick<KvBackend, "grantLease">, now: () => number = () => Date.now() / 1000) {
    this.#backend = backend;
    this.#now = now;
  }

  /** A lease that lives at least `ttlSeconds`. Rejects as grantLease does. */
  async get(ttlSeconds: number): Promise<bigint> {
    const now = this.#now();
    const reuse = Math.min(REUSE_SECONDS, ttlSeconds * REUSE_PERCENT);
    const shared = this.#shared;
    if (shared !== undefined && shared.objects < MAX_OBJECTS) {
      const left = shared.expires - now;
      if (left > ttlSeconds && left <= ttlSeconds + reuse) {
        shared.objects++;
        return shared.id;
      }
    }
    const ttl = ttlSeconds + Math.ceil(reuse);
    const made: Shared = { id: this.#backend.grantLease(ttl), expires: now + ttl, ttl, objects: 1 };
    this.#shared = made;
    made.id.catch(() => {
      if (this.#shared === made) this.#shared = undefined;
    });
    return made.id;
  }
}
