/**
 * Looks at an lmdb file before lmdb does: opening one that is damaged or cut off ends the process
 * (SIGSEGV, SIGBUS) instead of failing. The layout is that of the data version lmdb-js writes.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const PAGE = 4096;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const META_FLAG = 0x08;
const AT = { flags: 18, magic: 24, version: 28, pageSize: 48, lastPage: 144 } as const;

/** What is wrong with the file; undefined when lmdb can open it, or when there is none. */
export function findDamage(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return missing ? undefined : String(error);
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) return undefined;
    const head = Buffer.alloc(2 * PAGE);
    if (readSync(file, head, 0, head.length, 0) < head.length) return "the file is cut off";
    const pages = [head.subarray(0, PAGE), head.subarray(PAGE)].filter(isMetaPage);
    if (pages.length === 0) return "it is no lmdb file of this version";
    // A power cut may leave the newer of the two ahead of the data: lmdb then takes the older.
    const needed = Math.min(...pages.map(bytesNeeded));
    return size < needed ? `the file is cut off: ${size} of ${needed} bytes` : undefined;
  } finally {
    closeSync(file);
  }
}

function isMetaPage(page: Buffer): boolean {
  const isMeta = (page.readUInt16LE(AT.flags) & META_FLAG) !== 0;
  const magic = page.readUInt32LE(AT.magic);
  return isMeta && magic === MAGIC && page.readUInt32LE(AT.version) === DATA_VERSION;
}

function bytesNeeded(page: Buffer): number {
  return (Number(page.readBigUInt64LE(AT.lastPage)) + 1) * page.readUInt32LE(AT.pageSize);
}
