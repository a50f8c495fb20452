/**
 * Gives memory back once there is little to do. V8 keeps what a burst made it take, and collects
 * nothing while nothing is allocated; malloc keeps what was freed; pages that were read of the
 * embedded store stay mapped. Each thread looks after its own heap, the main thread after the rest.
 */
import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { native } from "../native/binding.ts";

const LOOK_MS = 500;
/** Share of a look's time. What is busier than this is left alone. */
const IDLE_SHARE = 0.05;
/** More than after the last collection by this, or after work of this many looks: collect again. */
const GROWN_BYTES = 4 * 1024 * 1024;
const WORKED_LOOKS = 0.5;
/** Looks from one collection to the next. */
const LOOKS_BETWEEN = 6;

/** What a collector decides by, and what it may do. */
export interface MemoryOwner {
  /** Share of the time since the last call that was worked, 1 for a whole CPU. */
  busy(): number;
  /** Bytes in memory. */
  size(): number;
  /** Begins a collection (true), or goes back to the usual (false). */
  pressure(isHigh: boolean): void;
  /** Gives back what the collection has freed. */
  release(): void;
}

/**
 * Collects when its owner is idle and has grown, or has worked: what it lets go of shows only then.
 * Releases a look later.
 */
export class IdleCollector {
  readonly #owner: MemoryOwner;
  #collecting = false;
  #sizeAfter = 0;
  #worked = 0;
  #looks = LOOKS_BETWEEN;

  constructor(owner: MemoryOwner) {
    this.#owner = owner;
  }

  /** To be called at even times. */
  look(): void {
    const owner = this.#owner;
    const share = owner.busy();
    const isIdle = share < IDLE_SHARE;
    this.#looks++;
    this.#worked += share;
    if (this.#collecting) {
      this.#collecting = false;
      owner.pressure(false);
      owner.release();
      this.#sizeAfter = owner.size();
      return;
    }
    if (!isIdle || this.#looks <= LOOKS_BETWEEN) return;
    const hasGrown = owner.size() - this.#sizeAfter >= GROWN_BYTES;
    if (!hasGrown && this.#worked < WORKED_LOOKS) return;
    this.#looks = 0;
    this.#worked = 0;
    this.#collecting = true;
    owner.pressure(true);
  }
}

function lookRegularly(owner: MemoryOwner): () => void {
  const collector = new IdleCollector(owner);
  const timer = setInterval(() => collector.look(), LOOK_MS).unref();
  return () => clearInterval(timer);
}

/** Looks after this thread's heap until the function returned is called. Needs the addon. */
export function releaseWhenThreadIdles(): () => void {
  let last = performance.eventLoopUtilization();
  return lookRegularly({
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    size() {
      const { total_physical_size: heap, external_memory: buffers } = getHeapStatistics();
      return heap + buffers;
    },
    pressure: (isHigh) => void native.memoryPressure(isHigh),
    release: () => native.releaseMemory(""),
  });
}

/**
 * Looks after what all threads share, besides this one's heap. `mappedFile`: a file mapped for
 * sharing whose pages need not stay in this process's memory, or "". Needs the addon.
 */
export function releaseWhenProcessIdles(mappedFile: string): () => void {
  let lastMs = performance.now();
  let last = process.cpuUsage();
  return lookRegularly({
    busy() {
      const nowMs = performance.now();
      const { user, system } = process.cpuUsage(last);
      const share = (user + system) / 1000 / (nowMs - lastMs);
      lastMs = nowMs;
      last = process.cpuUsage();
      return share;
    },
    size: () => process.memoryUsage.rss(),
    pressure: (isHigh) => void native.memoryPressure(isHigh),
    release: () => native.releaseMemory(mappedFile),
  });
}
