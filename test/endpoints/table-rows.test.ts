import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import { structOf } from "../../src/apis/schemas.ts";
import { tableHead, tableOfObjects } from "../../src/endpoints/table.ts";
import { escaped, type RowObject, TableRows } from "../../src/endpoints/table-rows.ts";
import type { ServedResource } from "../../src/registry/generic/served-resource.ts";
import { agesAsOf, DeferredClock, since, splitAtAges } from "../../src/registry/printers/human.ts";
import type { ListItem, ListPage } from "../../src/storage/interfaces.ts";
import { asRevision } from "../../src/storage/interfaces.ts";
import { requestWith } from "../authentication/requests.ts";

const schema = structOf("k8s.io/api/core/v1.Pod");
const served = (): ServedResource =>
  ({
    gvr: { group: "", version: "v1", resource: "pods" },
    schema,
    storageSchema: schema,
    fromStorage: (object: KubeObject) => object,
  }) as unknown as ServedResource;

const pod = (name: string, revision: number, status: object = {}): KubeObject => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: {
    name,
    resourceVersion: String(revision),
    creationTimestamp: "2026-11-01T00:00:00Z",
    labels: { text: "a<b> & ü\u2028" },
  },
  ...{ status },
});
const rising = { phase: "Running", podIPs: [{ ip: "10.0.0.1" }], reason: "Ä<&>" };
const restarted = {
  phase: "Failed",
  containerStatuses: [
    { restartCount: 2, lastState: { terminated: { finishedAt: "2026-11-02T00:00:00Z" } } },
  ],
};

/** Counts how often an object's JSON is wanted. */
let decoded = 0;
function pageOf(objects: readonly KubeObject[]): ListPage {
  const item = (index: number): ListItem => {
    const object = objects[index];
    const text = (value: unknown) => Buffer.from(escaped(JSON.stringify(value)));
    const { name = "", resourceVersion } = object?.metadata ?? {};
    const meta = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
    return {
      name,
      revision: asRevision(Number(resourceVersion)),
      json() {
        decoded++;
        return text(object);
      },
      into(encoding, target) {
        const bytes = text(encoding === "json" ? object : { ...meta, metadata: object?.metadata });
        if (bytes.length > target.length) return -bytes.length - 100;
        target.set(bytes);
        return bytes.length;
      },
    };
  };
  return { count: objects.length, item } as unknown as ListPage;
}

function readAll(rows: TableRows, chunkBytes: number): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const target = Buffer.alloc(chunkBytes);
    const size = rows.read(target);
    if (size === 0) return Buffer.concat(chunks).toString();
    chunks.push(target.subarray(0, size));
  }
}

const metadata = { resourceVersion: "9" };
const objects = [pod("a", 1, rising), pod("b", 2, restarted), pod("c", 3)];

for (const include of ["None", "Metadata", "Object"] as const) {
  test(`rows from bytes are the rows of objects, includeObject=${include}`, () => {
    const resource = served();
    const encodings = { None: undefined, Metadata: "metadata-json", Object: "json" } as const;
    const encoding: RowObject = encodings[include];
    const target = `/api/v1/pods?includeObject=${include}`;
    const table = tableOfObjects(requestWith([], { target }), resource, objects, metadata);
    const wanted = `${escaped(JSON.stringify(table))}\n`;
    const head = escaped(tableHead(resource, "v1", metadata));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), (chunkBytes) => {
        const rows = new TableRows(resource, pageOf(objects), encoding, head);
        assert.equal(readAll(rows, chunkBytes), wanted);
      }),
    );
  });
}

test("cells are made once for each state of an object", () => {
  const resource = served();
  const read = (page: readonly KubeObject[]) =>
    readAll(new TableRows(resource, pageOf(page), undefined, ""), 1024);
  decoded = 0;
  const first = read(objects);
  assert.equal(read(objects), first);
  assert.equal(decoded, 3);
  assert.notEqual(read([pod("a", 4, restarted), ...objects.slice(1)]), first);
  assert.equal(decoded, 4);
});

test("ages grow in cells that were kept", () => {
  const clock = new DeferredClock();
  const text = `[${since("2026-11-01T00:00:00Z", clock)}|${since("2026-11-01T00:01:00Z", clock)}]`;
  const parts = splitAtAges(text, clock) ?? [];
  assert.equal(agesAsOf(parts, Date.parse("2026-11-01T00:01:30Z")), "[90s|30s]");
  assert.equal(agesAsOf(parts, Date.parse("2026-11-01T05:01:00Z")), "[5h1m|5h]");
  assert.equal(agesAsOf(parts, 0), "[\\u003cinvalid\\u003e|\\u003cinvalid\\u003e]");
});

test("an object's own text is never taken for an age", () => {
  const forged = pod("f", 5, { phase: "\uE0000\uE001" });
  const rows = new TableRows(served(), pageOf([forged]), undefined, "");
  assert.ok(readAll(rows, 1024).includes('"\uE0000\uE001"'));
});
