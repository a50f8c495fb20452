/**
 * A record's metadata on disk, little-endian:
 *
 *   byte 0      flags: 1 = deletion
 *   1..8        create revision (float64)
 *   9..16       previous revision (float64)
 *   17..24      lease (uint64)
 *   25..28      version (uint32)
 *   29..32      bytes of the value (uint32)
 *   33..        key, UTF-8
 *
 * The revision is the record's key in the database.
 */
import type { RecordMeta } from "../mvcc/log.ts";

const HEADER = 33;

export function encodeMeta(meta: RecordMeta): Buffer {
  const out = Buffer.allocUnsafe(HEADER + Buffer.byteLength(meta.key));
  out[0] = Number(meta.deleted);
  out.writeDoubleLE(meta.create, 1);
  out.writeDoubleLE(meta.previous, 9);
  out.writeBigUInt64LE(BigInt.asUintN(64, meta.lease), 17);
  out.writeUInt32LE(meta.version, 25);
  out.writeUInt32LE(meta.size, 29);
  out.write(meta.key, HEADER, "utf8");
  return out;
}

/** Throws RangeError on a record that is cut off. */
export function decodeMeta(revision: number, bytes: Buffer): RecordMeta {
  return {
    revision,
    key: bytes.toString("utf8", HEADER),
    deleted: bytes[0] === 1,
    create: bytes.readDoubleLE(1),
    previous: bytes.readDoubleLE(9),
    lease: bytes.readBigUInt64LE(17),
    version: bytes.readUInt32LE(25),
    size: bytes.readUInt32LE(29),
  };
}
