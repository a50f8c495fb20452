/** What the tidy tests look at. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Paths under `folder`, relative to the root, that end in one of `extensions`. */
export function filesUnder(folder: string, ...extensions: string[]): string[] {
  const walk = (path: string): string[] =>
    readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => {
      const child = join(path, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : walk(child);
      return extensions.some((extension) => entry.name.endsWith(extension)) ? [child] : [];
    });
  try {
    return walk(folder).sort();
  } catch {
    return [];
  }
}
export const read = (path: string) => readFileSync(join(root, path), "utf8");

const IMPORT = /\b(?:from|import) ?\(?"(\.[^"]+)"/g;
const TYPE_IMPORT = /\b(?:import|export) type [^;]*?from "(\.[^"]+)"/g;

/** Files that `path` imports, relative to the root: static, dynamic, and of types. */
export function importsOf(path: string, kinds: "all" | "values" = "all"): string[] {
  let text = read(path);
  if (kinds === "values") text = text.replace(TYPE_IMPORT, "");
  return [...text.matchAll(IMPORT)].map(([, specifier = ""]) =>
    relative(root, join(root, dirname(path), specifier)),
  );
}

export const isGenerated = (path: string) =>
  /\.generated\.|\/generated\/|apis\/[a-z]+\/v\w+\/types\.ts$/.test(path);
