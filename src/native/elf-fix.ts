/**
 * Makes an ELF64 library that wants glibc 2.38's `__isoc23_*` functions take the older functions of
 * the same purpose: `__isoc23_strtol` becomes `strtol`, which is the tail of its own name.
 */
const PREFIX = "__isoc23_";
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SYMBOL_SIZE = 24;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

function sections(file: Buffer): Section[] {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error("not a little-endian ELF64 file");
  }
  const start = Number(file.readBigUInt64LE(40));
  const size = file.readUInt16LE(58);
  return Array.from({ length: file.readUInt16LE(60) }, (_, i) => {
    const at = start + i * size;
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
      info: file.readUInt32LE(at + 44),
    };
  });
}

function textAt(file: Buffer, at: number): string {
  return file.toString("latin1", at, file.indexOf(0, at));
}

function renameSymbols(file: Buffer, all: readonly Section[]): void {
  for (const table of all.filter((s) => s.type === SHT_DYNSYM)) {
    const names = all[table.link];
    if (names === undefined) continue;
    for (let at = table.offset; at < table.offset + table.size; at += SYMBOL_SIZE) {
      const name = file.readUInt32LE(at);
      const isUndefined = file.readUInt16LE(at + 6) === 0;
      if (!isUndefined || !textAt(file, names.offset + name).startsWith(PREFIX)) continue;
      file.writeUInt32LE(name + PREFIX.length, at);
    }
  }
}

/** Points every need of `from` at the version `to`, which the same library list also names. */
function replaceVersion(file: Buffer, all: readonly Section[], from: string, to: string): void {
  for (const table of all.filter((s) => s.type === SHT_GNU_VERNEED)) {
    const names = all[table.link];
    if (names === undefined) continue;
    let known: { hash: number; name: number } | undefined;
    const wanted: number[] = [];
    for (let need = table.offset, i = 0; i < table.info; i++) {
      const count = file.readUInt16LE(need + 2);
      for (let aux = need + file.readUInt32LE(need + 8), k = 0; k < count; k++) {
        const name = file.readUInt32LE(aux + 8);
        const version = textAt(file, names.offset + name);
        if (version === to) known = { hash: file.readUInt32LE(aux), name };
        if (version === from) wanted.push(aux);
        aux += file.readUInt32LE(aux + 12);
      }
      need += file.readUInt32LE(need + 12);
    }
    if (wanted.length > 0 && known === undefined) throw new Error(`the file does not name ${to}`);
    for (const aux of wanted) {
      if (known === undefined) continue;
      file.writeUInt32LE(known.hash, aux);
      file.writeUInt32LE(known.name, aux + 8);
    }
  }
}

/** A changed copy of `original`. Throws an Error when it is not such a file. */
export function fixGlibcSymbols(original: Buffer): Buffer {
  const file = Buffer.from(original);
  const all = sections(file);
  renameSymbols(file, all);
  const base = process.arch === "arm64" ? "GLIBC_2.17" : "GLIBC_2.2.5";
  replaceVersion(file, all, "GLIBC_2.38", base);
  return file;
}
