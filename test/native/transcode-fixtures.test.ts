/** The transcoder against upstream's own fixtures: every kind, both directions, byte for byte. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { native } from "../../src/native/binding.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const folder = join(root, "..", "shared", "facts", "codec-fixtures");
const table = JSON.parse(
  readFileSync(join(root, "src/apis/generated/types.generated.json"), "utf8"),
) as { packages: Record<string, string>; types: Record<string, string> };

const goNames = new Map<string, string>();
for (const [name, text] of Object.entries(table.types)) {
  const dot = name.lastIndexOf(".");
  const version = table.packages[name.slice(0, dot)];
  if (version === undefined || text.startsWith("=")) continue;
  goNames.set(`${version}/${name.slice(dot + 1)}`, name);
}

/** Compact, members in their order, characters escaped as Go does. */
function compact(text: string): string {
  return JSON.stringify(JSON.parse(text))
    .replaceAll("<", "\\u003c")
    .replaceAll(">", "\\u003e")
    .replaceAll("&", "\\u0026")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

const target = Buffer.alloc(1 << 20);

test("fixtures", { skip: !existsSync(folder) }, () => {
  const failures: string[] = [];
  const skipped: string[] = [];
  let checked = 0;
  for (const file of readdirSync(folder)) {
    if (!file.endsWith(".pb")) continue;
    const json = readFileSync(join(folder, file.replace(/pb$/, "json")), "utf8");
    const pb = readFileSync(join(folder, file));
    const head = JSON.parse(json) as { kind: string; apiVersion?: string; metadata?: object };
    if (head.apiVersion === undefined) {
      skipped.push(file);
      continue;
    }
    const version = head.apiVersion.includes("/") ? head.apiVersion : `/${head.apiVersion}`;
    // The meta types are also registered under core's v1.
    const goName =
      goNames.get(`${version}/${head.kind}`) ?? goNames.get(`meta.k8s.io/v1/${head.kind}`);
    if (goName === undefined) {
      failures.push(`${file}: no type`);
      continue;
    }
    checked++;
    const n = native.protoToJson(goName, head.kind, head.apiVersion, "", pb, target);
    const got = n > 0 ? target.toString("utf8", 0, n) : `error ${n}`;
    const want = compact(json);
    if (got !== want) {
      let i = 0;
      while (got[i] === want[i]) i++;
      failures.push(
        `${file} json: got ${got.slice(i - 30, i + 50)} want ${want.slice(i - 30, i + 50)}`,
      );
    }
    const revision =
      (head.metadata as { resourceVersion?: string } | undefined)?.resourceVersion ?? "";
    const source = Buffer.from(want);
    const m = native.jsonToProto(
      goName,
      head.kind,
      head.apiVersion,
      revision,
      source,
      target,
      true,
    );
    const back = m > 0 ? target.subarray(0, m) : Buffer.from(`error ${m}`);
    if (!back.equals(pb)) {
      let i = 0;
      while (back[i] === pb[i]) i++;
      const show = (b: Buffer) => b.toString("latin1", Math.max(0, i - 20), i + 20);
      failures.push(
        `${file} pb at ${i}: got ${JSON.stringify(show(back))} want ${JSON.stringify(show(pb))}`,
      );
    }
  }
  assert.deepEqual(failures, []);
  // A WatchEvent has no kind of its own.
  assert.deepEqual(skipped, ["core.v1.WatchEvent.pb"]);
  assert.ok(checked > 100);
});
