/** Whether dist/ is older than src/: by names, sizes and times, in a few milliseconds. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const stampFile = (root) => join(root, "dist", ".stamp");

/** Changes whenever a source or the package's lock file does. */
export function fingerprint(root) {
  const hash = createHash("sha256");
  const add = (path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path.slice(root.length)} ${mtimeMs} ${size}\n`);
  };
  for (const entry of readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) add(join(entry.parentPath ?? entry.path, entry.name));
  }
  for (const name of ["build.mjs", "thread-entry.cjs"]) add(join(root, "scripts", name));
  for (const name of ["package-lock.json", "tsconfig.json"]) add(join(root, name));
  return hash.digest("hex");
}
