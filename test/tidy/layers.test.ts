import assert from "node:assert/strict";
import { test } from "node:test";
import { filesUnder, importsOf } from "./source-files.ts";

// Folders of src/, lowest layer first. A file imports from its own layer and from lower ones.
// Files directly in src/ put the process together: they stand above all.
const layers = `
  apimachinery metrics native workers request apis storage admission audit authentication
  authorization flowcontrol registry endpoints server apiextensions aggregator controllers options
`
  .trim()
  .split(/\s+/);
const isTop = (path: string) => path.split("/").length === 2;
const layerOf = (path: string) =>
  isTop(path) ? layers.length : layers.indexOf(path.split("/")[1] ?? "");

const sources = filesUnder("src", ".ts");

test("every file imports downwards only", () => {
  const upwards = sources.flatMap((path) =>
    importsOf(path)
      .filter((imported) => imported.startsWith("src/") && layerOf(imported) > layerOf(path))
      .map((imported) => `${path} imports ${imported}`),
  );
  assert.deepEqual(upwards, []);
});

test("every folder of src/ is a layer", () => {
  const unknown = sources.filter((path) => layerOf(path) === -1);
  assert.deepEqual(unknown, []);
});

test("nothing in src/ imports from outside of it", () => {
  const outside = sources.flatMap((path) =>
    importsOf(path)
      .filter((imported) => !imported.startsWith("src/"))
      .map((imported) => `${path} imports ${imported}`),
  );
  assert.deepEqual(outside, []);
});

test("no file imports itself in a circle", () => {
  const edges = new Map(sources.map((path) => [path, importsOf(path, "values")]));
  const state = new Map<string, "open" | "done">();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    state.set(path, "open");
    for (const imported of edges.get(path) ?? []) visit(imported, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of sources) visit(path, []);
  assert.deepEqual(circles, []);
});
