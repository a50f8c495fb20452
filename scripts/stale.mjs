/** Whether dist/ is older than src/: by names, sizes and times, in a few milliseconds. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const stampFile = (root) => join(root, "dist", ".stamp");

/** Changes whenever a source or the package's lock file does. */
export function fingerprint(root) {
  const lines = [];
  const add = (path) => {
    const { mtimeMs, size } = statSync(path);
    lines.push(`${path.slice(root.length)} ${mtimeMs} ${size}\n`);
  };
  // Its own recursion: readdir's takes three times as long.
  const addAll = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) addAll(`${folder}/${entry.name}`);
      else if (entry.isFile()) add(`${folder}/${entry.name}`);
    }
  };
  addAll(join(root, "src"));
  for (const name of ["build.mjs", "thread-entry.cjs"]) add(join(root, "scripts", name));
  for (const name of ["package-lock.json", "tsconfig.json"]) add(join(root, name));
  return createHash("sha256").update(lines.join("")).digest("hex");
}
