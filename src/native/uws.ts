/**
 * Loads uWebSockets.js, in the main thread or a worker. Its Linux binary asks for glibc 2.38 only
 * for three functions that read numbers as C23 does. On glibc 2.36 and 2.37 a copy of the binary is
 * loaded whose symbol table names their older equals; nothing else of it is changed.
 */

import type * as Uws from "uWebSockets.js";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { constants, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fixGlibcSymbols } from "./elf-fix.ts";
import type {} from "./uws-types.ts";

export type UwsModule = typeof Uws;

/** Bytes of request line and headers that uWS accepts; 431 beyond. Read once, at load. */
export const MAX_HEADERS_SIZE = 65536;

const require = createRequire(import.meta.url);
let loaded: { readonly uws: UwsModule; readonly path: string } | undefined;

const temporaryFolder = () => join(tmpdir(), `klystron-${userInfo().uid}`);

/** Folders for the changed copy, best first: beside the package's own caches, then per user. */
function cacheFolders(packageFolder: string): string[] {
  return [join(dirname(packageFolder), ".cache", "klystron"), temporaryFolder()];
}

/** Code is loaded from there: anybody may have made a folder of that name in /tmp. */
function assertOwn(folder: string): void {
  const { uid, mode } = lstatSync(folder);
  if (uid === userInfo().uid && (mode & 0o170_077) === 0o040_000) return;
  throw new Error(`${folder} is not this user's alone`);
}

function fixedCopy(binary: string, packageFolder: string): string {
  const { size, mtimeMs, ino } = statSync(binary);
  const origin = `${binary} ${size} ${mtimeMs} ${ino}`;
  const name = `uws-${createHash("sha256").update(origin).digest("hex").slice(0, 16)}.node`;
  let failure: unknown;
  for (const folder of cacheFolders(packageFolder)) {
    const target = join(folder, name);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (folder === temporaryFolder()) assertOwn(folder);
      if (existsSync(target)) return target;
      const partial = `${target}.${process.pid}.${randomBytes(4).toString("hex")}`;
      writeFileSync(partial, fixGlibcSymbols(readFileSync(binary)), { mode: 0o700 });
      renameSync(partial, target);
      return target;
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`uWebSockets.js: no place for its changed copy: ${String(failure)}`);
}

function open(path: string): UwsModule {
  const holder = { exports: {} as unknown };
  process.dlopen(holder, path, constants.dlopen.RTLD_NOW);
  return holder.exports as UwsModule;
}

/** Loads the binary for this machine. Throws where it can not load at all. */
function load(): { readonly uws: UwsModule; readonly path: string } {
  const packageFolder = dirname(require.resolve("uWebSockets.js"));
  const file = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  const binary = join(packageFolder, file);
  if (!existsSync(binary)) throw new Error(`uWebSockets.js has no binary ${file}`);
  try {
    return { uws: open(binary), path: binary };
  } catch (error) {
    // The loader's words: asking for glibc's version any other way takes longer than this.
    if (!String(error).includes("GLIBC_2.38")) throw error;
    const path = fixedCopy(binary, packageFolder);
    return { uws: open(path), path };
  }
}

/**
 * The uWebSockets.js module of this thread, without its response header `uWebSockets: 20`. Throws
 * an Error that names the reason where it can not be loaded (then serve with node:https).
 */
export function loadUws(): UwsModule {
  if (loaded !== undefined) return loaded.uws;
  process.env["UWS_HTTP_MAX_HEADERS_SIZE"] ??= String(MAX_HEADERS_SIZE);
  loaded = load();
  loaded.uws._cfg("silent");
  return loaded.uws;
}

/** The file that loadUws loaded, whose us_* symbols the addon's pump uses. */
export function uwsBinaryPath(): string {
  loadUws();
  return loaded?.path ?? "";
}
