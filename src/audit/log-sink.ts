/**
 * `--audit-log-path`: appends lines to a file and rotates it by size. Several threads write the same
 * file: whole lines go out in one write each, and whoever meets the limit first rotates.
 * Upstream: plugin/pkg/audit/log; rotation follows lumberjack.
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { AuditSink } from "./backend.ts";

export interface LogSinkOptions {
  /** `-`: standard output. */
  readonly path: string;
  /** 0: never rotate. */
  readonly bytesMax: number;
  /** Rotated files to keep; 0: all. */
  readonly backupsMax: number;
  /** Days to keep them; 0: for ever. */
  readonly daysMax: number;
  readonly compress: boolean;
  onError(error: unknown): void;
}

const STDOUT = 1;
const DAY_MS = 86_400_000;
const MODE = 0o600;
/** How much is written between looks at the file's real size. */
const CHECK_BYTES = 64 * 1024;

export function logSink(options: LogSinkOptions): AuditSink {
  const { path, bytesMax } = options;
  if (path === "-") return { write: (lines) => writeAll(STDOUT, lines), close: () => {} };
  mkdirSync(dirname(path), { recursive: true });
  let descriptor = openSync(path, "a", MODE);
  let sinceCheck = CHECK_BYTES;
  const reopen = () => {
    closeSync(descriptor);
    descriptor = openSync(path, "a", MODE);
  };
  const check = (adding: number) => {
    sinceCheck = 0;
    if (bytesMax === 0) return;
    const own = fstatSync(descriptor);
    if (inodeOf(path) !== own.ino) return reopen(); // another thread has rotated
    if (own.size + adding <= bytesMax || own.size === 0) return;
    renameSync(path, backupName(path, new Date()));
    reopen();
    tidy(options).catch(options.onError);
  };
  return {
    write(lines) {
      const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0);
      sinceCheck += bytes;
      if (sinceCheck >= Math.min(CHECK_BYTES, bytesMax || CHECK_BYTES)) check(bytes);
      writeAll(descriptor, lines);
    },
    close: () => closeSync(descriptor),
  };
}

function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? -1;
}

function writeAll(descriptor: number, lines: readonly string[]): void {
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

/** `audit-2026-01-02T15-04-05.678.log` beside `audit.log`. */
function backupName(path: string, at: Date): string {
  const stamp = at.toISOString().replaceAll(":", "-").replace("Z", "");
  const extension = extname(path);
  return join(dirname(path), `${basename(path, extension)}-${stamp}${extension}`);
}

/** Compresses and removes rotated files as the flags say. */
async function tidy({ path, backupsMax, daysMax, compress }: LogSinkOptions): Promise<void> {
  const folder = dirname(path);
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  const isBackup = (name: string) =>
    name.startsWith(prefix) &&
    /^\d{4}-\d\d-\d\dT[\d.-]+(?:\.\w+)?(?:\.gz)?$/.test(name.slice(prefix.length));
  const backups = readdirSync(folder).filter(isBackup).sort().reverse();
  const oldest = daysMax === 0 ? 0 : Date.now() - daysMax * DAY_MS;
  for (const [index, name] of backups.entries()) {
    const file = join(folder, name);
    const info = statSync(file, { throwIfNoEntry: false });
    if (info === undefined) continue;
    if ((backupsMax > 0 && index >= backupsMax) || info.mtimeMs < oldest) unlinkSync(file);
    else if (compress && !name.endsWith(".gz")) await gzip(file);
  }
}

async function gzip(file: string): Promise<void> {
  const target = createWriteStream(`${file}.gz`, { mode: MODE, flags: "wx" });
  await pipeline(createReadStream(file), createGzip(), target);
  unlinkSync(file);
}
