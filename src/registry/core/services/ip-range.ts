/** The arithmetic of one Service CIDR. Upstream: ipallocator.go and pkg/api/servicecidr. */
import {
  cidrString,
  ipString,
  parseCIDRSloppy,
  parseIPSloppy,
} from "../../../apimachinery/validation/ip.ts";
import type { IPFamily } from "./linked-fields.ts";

/** Numbers of a range that static addresses are likelier to use: at least, and at most. */
const OFFSET_MIN = 16n;
const OFFSET_MAX = 256n;
const OFFSET_STEP = 16n;

function numberOf(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** A value between 0 and `bound` - 1; injected so that tests can choose. */
export type RandomBelow = (bound: bigint) => bigint;

export const randomBelow: RandomBelow = (bound) => {
  const random =
    (BigInt(Math.floor(Math.random() * 2 ** 32)) << 32n) |
    BigInt(Math.floor(Math.random() * 2 ** 32));
  return random % bound;
};

/** The addresses a CIDR gives to services: not the network's own, nor IPv4's broadcast. */
export class IpRange {
  readonly cidr: string;
  readonly family: IPFamily;
  /** The address that a dry run shows in place of an allocated one. */
  readonly networkAddress: string;
  readonly #network: bigint;
  readonly #first: bigint;
  readonly #last: bigint;
  /** From here on are the addresses that allocation prefers. */
  readonly #offset: bigint;
  readonly #byteLength: number;

  private constructor(cidr: string, network: readonly number[], prefixLength: number) {
    this.cidr = cidr;
    this.#byteLength = network.length;
    this.family = network.length === 4 ? "IPv4" : "IPv6";
    this.networkAddress = ipString(network);
    this.#network = numberOf(network);
    const size = 1n << BigInt(network.length * 8 - prefixLength);
    const broadcast = this.#network + size - 1n;
    this.#first = this.#network + 1n;
    this.#last = this.family === "IPv4" ? broadcast - 1n : broadcast;
    const step = size / OFFSET_STEP;
    const wanted = step > OFFSET_MAX ? OFFSET_MAX : step > OFFSET_MIN ? step : OFFSET_MIN;
    this.#offset = size <= OFFSET_MIN ? 0n : wanted;
  }

  /** Undefined when the text is no CIDR, or has no addresses to give. */
  static parse(text: string): IpRange | undefined {
    const parsed = parseCIDRSloppy(text);
    if (parsed === undefined) return undefined;
    const length = parsed.ip.mapped ? parsed.prefixLength - 96 : parsed.prefixLength;
    const range = new IpRange(cidrString(parsed), parsed.network, Math.max(length, 0));
    return range.#first > range.#last ? undefined : range;
  }

  /** Whether services may have the address. */
  contains(address: string): boolean {
    const bytes = parseIPSloppy(address)?.bytes;
    if (bytes === undefined || bytes.length !== this.#byteLength) return false;
    const value = numberOf(bytes);
    return value >= this.#first && value <= this.#last;
  }

  /** The first address: the API server's own service has it. */
  get firstAddress(): string {
    return this.#format(this.#first);
  }

  #format(value: bigint): string {
    const bytes: number[] = [];
    for (let i = this.#byteLength - 1; i >= 0; i--) {
      bytes.push(Number((value >> BigInt(i * 8)) & 0xffn));
    }
    return ipString(bytes);
  }

  /** Every address once: the upper band from a random one on, then the lower band likewise. */
  *candidates(random: RandomBelow = randomBelow): Generator<string> {
    const boundary = this.#first + this.#offset;
    if (boundary <= this.#last) yield* this.#cycle(boundary, this.#last, random);
    if (this.#offset > 0n) {
      const end = boundary - 1n > this.#last ? this.#last : boundary - 1n;
      yield* this.#cycle(this.#first, end, random);
    }
  }

  *#cycle(first: bigint, last: bigint, random: RandomBelow): Generator<string> {
    const count = last - first + 1n;
    const start = random(count);
    for (let i = 0n; i < count; i++) yield this.#format(first + ((start + i) % count));
  }
}
