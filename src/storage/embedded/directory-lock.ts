/**
 * One process a store: a file that names its owner. The owner counts as alive while its process
 * has the start time the file says, so neither a crash nor a reused process id blocks a start.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StorageError } from "../errors.ts";

export interface DirectoryLock {
  release(): void;
}

/** Throws Refused, with the owner's process id, when another process has the directory. */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = join(directory, "lock");
  const own = join(directory, `lock.${process.pid}.${Date.now()}`);
  writeFileSync(own, identityOf(process.pid) ?? `${process.pid} 0 0`, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        linkSync(own, lock);
        return { release: () => rmSync(lock, { force: true }) };
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
      }
      removeStale(directory, lock);
    }
    throw inUse(directory, "another process");
  } finally {
    rmSync(own, { force: true });
  }
}

function removeStale(directory: string, lock: string): void {
  let owner: string;
  try {
    owner = readFileSync(lock, "utf8");
  } catch {
    return; // just released
  }
  const pid = Number(owner.split(" ")[0]);
  if (identityOf(pid) === owner) throw inUse(directory, `process ${pid}`);
  // Of several who find the same stale file, rename lets one through; its content is checked
  // again, for a new owner may have come between.
  const aside = `${lock}.stale.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (readFileSync(aside, "utf8") !== owner) linkSync(aside, lock);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "EEXIST") throw error;
  }
  rmSync(aside, { force: true });
}

/** Process id, start time and boot of a living process. */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${pid} ${started} ${boot}`;
  } catch {
    return undefined;
  }
}

function inUse(directory: string, owner: string): StorageError {
  const message = `the store in ${directory} is in use by ${owner}`;
  return new StorageError({ code: "Refused", message });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
