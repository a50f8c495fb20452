/** Just enough of ZIP to take files out of an archive of ours: no encryption, no ZIP64. */
import { inflateRawSync } from "node:zlib";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DEFLATED = 8;

/** The named entries' bytes; throws when one is missing. */
export function unzip(archive: Buffer, names: readonly string[]): Map<string, Buffer> {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end === -1 || archive.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error("not a ZIP");
  const found = new Map<string, Buffer>();
  let position = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(position) !== DIRECTORY_ENTRY) throw new Error("damaged ZIP");
    const method = archive.readUInt16LE(position + 10);
    const size = archive.readUInt32LE(position + 20);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((at) =>
      archive.readUInt16LE(position + at),
    ) as [number, number, number];
    const local = archive.readUInt32LE(position + 42);
    const name = archive.toString("utf8", position + 46, position + 46 + nameLength);
    if (names.includes(name)) {
      const data = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const packed = archive.subarray(data, data + size);
      found.set(name, method === DEFLATED ? inflateRawSync(packed) : Buffer.from(packed));
    }
    position += 46 + nameLength + extraLength + commentLength;
  }
  for (const name of names) if (!found.has(name)) throw new Error(`no ${name} in the archive`);
  return found;
}
