/**
 * Notices changed files. Folders are watched, because secrets change by swapping symlinks; a poll
 * each minute catches what the system does not tell.
 * Upstream: apiserver/pkg/server/dynamiccertificates.
 */
import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 60_000;
/** Certificate and key are two writes: wait until both have come. */
const SETTLE_MS = 500;

/** Calls `onChange` when one of `files` has changed. Returns the function that ends it. */
export function watchFiles(files: readonly string[], onChange: () => void): () => void {
  let seen = fingerprint(files);
  let settling: NodeJS.Timeout | undefined;
  const check = () => {
    const now = fingerprint(files);
    if (now === seen) return;
    seen = now;
    onChange();
  };
  const soon = () => {
    clearTimeout(settling);
    settling = setTimeout(check, SETTLE_MS).unref();
  };
  const watchers = [...new Set(files.map((file) => dirname(file)))].flatMap((folder) => {
    try {
      const watcher = watch(folder, { persistent: false }, soon);
      watcher.on("error", () => watcher.close());
      return [watcher];
    } catch {
      return [] as FSWatcher[]; // the poll remains
    }
  });
  const poll = setInterval(check, POLL_MS).unref();
  return () => {
    clearInterval(poll);
    clearTimeout(settling);
    for (const watcher of watchers) watcher.close();
  };
}

function fingerprint(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { mtimeMs, size, ino } = statSync(file);
        return `${mtimeMs}:${size}:${ino}`;
      } catch {
        return "missing";
      }
    })
    .join();
}
