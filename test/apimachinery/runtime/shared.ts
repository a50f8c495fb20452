/** Where the facts and recorded answers lie, beside the project; tests that need them skip without. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../../shared/", import.meta.url));

/** The full path, or undefined when the file or folder is absent. */
export function sharedPath(path: string): string | undefined {
  return existsSync(folder + path) ? folder + path : undefined;
}
