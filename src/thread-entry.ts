/** Where a thread's entry file is: beside this one, as a bundle or as source. */

/** `name` without extension: `front-thread`. */
export function threadEntry(name: string): URL {
  const extension = import.meta.url.endsWith(".ts") ? ".source.mjs" : ".cjs";
  return new URL(`./${name}${extension}`, import.meta.url);
}
