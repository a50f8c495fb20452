/**
 * The protobuf wire format, as far as etcd's messages need it. Hand-written: with generated codecs
 * a transaction costs more than twice the CPU. Revisions are read as numbers, exact below 2^53.
 */

/** Appends fields to a buffer that grows. */
export class WireWriter {
  #bytes: Buffer;
  #length = 0;

  /** `reserve` bytes stay free at the front, for a frame's header. */
  constructor(size = 256, reserve = 0) {
    this.#bytes = Buffer.allocUnsafe(Math.max(size, reserve + 16));
    this.#length = reserve;
  }

  /** Nothing is written for 0, as proto3 wants. */
  int(field: number, value: number): this {
    return value === 0 ? this : this.intAlways(field, value);
  }
  /** For a member of a oneof, where 0 differs from absence. */
  intAlways(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }
  bigint(field: number, value: bigint): this {
    if (value === 0n) return this;
    this.#varint(field * 8);
    let rest = BigInt.asUintN(64, value);
    this.#room(10);
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
    return this;
  }
  bool(field: number, value: boolean): this {
    return this.int(field, Number(value));
  }
  string(field: number, value: string): this {
    const size = Buffer.byteLength(value);
    this.#varint(field * 8 + 2);
    this.#varint(size);
    this.#room(size);
    this.#bytes.write(value, this.#length, "utf8");
    this.#length += size;
    return this;
  }
  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }
  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** Walks the fields of a message; every read throws RangeError beyond the end. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #wireType = 0;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** The next field's number, 0 at the end. Its value must be read or skipped next. */
  field(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.int();
    this.#wireType = tag % 8;
    return Math.floor(tag / 8);
  }
  /** A varint below 2^53; negative int64s (ten bytes) are read as such. */
  int(): number {
    const first = this.#byte();
    if (first < 128) return first;
    let value = first % 128;
    let scale = 128;
    for (let i = 1; i < 10; i++) {
      const byte = this.#byte();
      value += (byte % 128) * scale;
      scale *= 128;
      if (byte < 128) return value > Number.MAX_SAFE_INTEGER ? value - 2 ** 64 : value;
    }
    throw new RangeError("varint too long");
  }
  bigint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    throw new RangeError("varint too long");
  }
  /** A view, not a copy. */
  bytes(): Buffer {
    const [start, end] = this.#span();
    return this.#bytes.subarray(start, end);
  }
  string(): string {
    const [start, end] = this.#span();
    return this.#bytes.toString("utf8", start, end);
  }
  message(): WireReader {
    const [start, end] = this.#span();
    return new WireReader(this.#bytes, start, end);
  }
  skip(): void {
    if (this.#wireType === 0) this.int();
    else if (this.#wireType === 2) this.#span();
    else if (this.#wireType === 1) this.#move(8);
    else if (this.#wireType === 5) this.#move(4);
    else throw new RangeError(`wire type ${this.#wireType}`);
  }

  #span(): [number, number] {
    const size = this.int();
    const start = this.#at;
    this.#move(size);
    return [start, this.#at];
  }
  #move(by: number): void {
    if (by < 0 || this.#at + by > this.#end) throw new RangeError("message cut off");
    this.#at += by;
  }
  #byte(): number {
    if (this.#at >= this.#end) throw new RangeError("message cut off");
    return this.#bytes[this.#at++] ?? 0;
  }
}
