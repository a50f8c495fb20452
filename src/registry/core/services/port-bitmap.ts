/**
 * The used node ports as a RangeAllocation holds them: the bytes of one big number, bit i set when
 * port base + i is taken. Upstream: pkg/registry/core/service/allocator/bitmap.go.
 */

/** Numbers of a range that static ports are likelier to use: at least, and at most. */
const OFFSET_MIN = 16;
const OFFSET_MAX = 128;
const OFFSET_STEP = 32;

export interface PortRange {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

export const rangeText = ({ first, last }: PortRange): string => `${first}-${last}`;

export function parseRangeText(text: string): PortRange | undefined {
  const match = /^(\d+)-(\d+)$/.exec(text);
  return match === null ? undefined : { first: Number(match[1]), last: Number(match[2]) };
}

export class PortBitmap {
  readonly range: PortRange;
  readonly #used: Uint8Array;

  constructor(range: PortRange) {
    this.range = range;
    this.#used = new Uint8Array(range.last - range.first + 1);
  }

  /** From a stored allocation; ports that have left the range are forgotten. */
  static restore(range: PortRange, stored: PortRange, data: Uint8Array): PortBitmap {
    const bitmap = new PortBitmap(range);
    for (let bit = 0; bit < data.length * 8; bit++) {
      const byte = data[data.length - 1 - (bit >> 3)] ?? 0;
      if ((byte >> (bit & 7)) & 1) bitmap.take(stored.first + bit);
    }
    return bitmap;
  }

  /** The big number's bytes, the most significant first, without leading zeros. */
  bytes(): Uint8Array {
    let highest = this.#used.length - 1;
    while (highest >= 0 && this.#used[highest] === 0) highest--;
    const out = new Uint8Array(highest < 0 ? 0 : (highest >> 3) + 1);
    for (let bit = 0; bit <= highest; bit++) {
      if (this.#used[bit] === 0) continue;
      const at = out.length - 1 - (bit >> 3);
      out[at] = (out[at] ?? 0) | (1 << (bit & 7));
    }
    return out;
  }

  inRange(port: number): boolean {
    return port >= this.range.first && port <= this.range.last;
  }

  has(port: number): boolean {
    return this.#used[port - this.range.first] === 1;
  }

  /** False when the port is taken or out of range. */
  take(port: number): boolean {
    if (!this.inRange(port) || this.has(port)) return false;
    this.#used[port - this.range.first] = 1;
    return true;
  }

  release(port: number): void {
    if (this.inRange(port)) this.#used[port - this.range.first] = 0;
  }

  /** The ports taken, in order. */
  used(): number[] {
    const ports: number[] = [];
    for (const [i, used] of this.#used.entries()) if (used === 1) ports.push(this.range.first + i);
    return ports;
  }

  /** Takes a free port, of the upper band while it has one. Undefined when all are taken. */
  takeNext(random: () => number = Math.random): number | undefined {
    const size = this.#used.length;
    const step = Math.min(Math.max(OFFSET_MIN, Math.floor(size / OFFSET_STEP)), OFFSET_MAX);
    const offset = size <= OFFSET_MIN ? 0 : Math.min(step, size);
    return this.#takeIn(offset, size, random) ?? this.#takeIn(0, offset, random);
  }

  #takeIn(from: number, to: number, random: () => number): number | undefined {
    const count = to - from;
    const start = Math.floor(random() * count);
    for (let i = 0; i < count; i++) {
      const at = from + ((start + i) % count);
      if (this.#used[at] === 1) continue;
      this.#used[at] = 1;
      return this.range.first + at;
    }
    return undefined;
  }
}
