import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import {
  groupOrder,
  listKinds,
  resourceTable,
  schemaForKind,
  structOf,
} from "../../src/apis/schemas.ts";

describe("types", () => {
  test("a struct is compiled once", () => {
    const pod = structOf("k8s.io/api/core/v1.Pod");
    assert.equal(structOf("k8s.io/api/core/v1.Pod"), pod);
    assert.equal(schemaForKind({ group: "", version: "v1", kind: "Pod" }), pod);
    assert.deepEqual(
      pod.fields.map((field) => field.json),
      ["kind", "apiVersion", "metadata", "spec", "status"],
    );
  });

  test("inlined structs are flattened and keep their way", () => {
    const hostPath = structOf("k8s.io/api/core/v1.Volume").byJson.get("hostPath");
    assert.deepEqual([hostPath?.inlined, hostPath?.embedded], [[2], ["VolumeSource"]]);
    const kind = structOf("k8s.io/api/core/v1.Pod").byJson.get("kind");
    assert.equal(kind?.number, undefined);
  });

  test("lists know how server-side apply merges them", () => {
    const containers = structOf("k8s.io/api/core/v1.PodSpec").byJson.get("containers");
    assert.deepEqual([containers?.listType, containers?.listMapKeys], ["map", ["name"]]);
    assert.deepEqual([containers?.patchStrategy, containers?.patchMergeKey], ["merge", "name"]);
    assert(structOf("k8s.io/apimachinery/pkg/apis/meta/v1.LabelSelector").atomic);
  });

  test("kinds", () => {
    assert(schemaForKind({ group: "apps", version: "v1", kind: "DeleteOptions" }) !== undefined);
    assert(
      schemaForKind({ group: "meta.k8s.io", version: "v1", kind: "PartialObjectMetadata" }) !==
        undefined,
    );
    assert(schemaForKind({ group: "", version: "v1", kind: "Status" }) !== undefined);
    for (const kind of ["Nope", "PodSpec", "toString", "__proto__", ""]) {
      assert.equal(schemaForKind({ group: "", version: "v1", kind }), undefined);
    }
    assert([...listKinds()].length > 300);
  });

  test("every struct compiles, and its protobuf numbers are its own", () => {
    const wrong: string[] = [];
    for (const { schema } of listKinds()) {
      const seen = new Set<string>();
      for (const field of schema.fields) {
        if (field.number === undefined) continue;
        const path = [...field.inlined, field.number].join(".");
        if (seen.has(path)) wrong.push(`${schema.name} ${field.json}`);
        seen.add(path);
      }
    }
    assert.deepEqual(wrong, []);
  });
});

describe("resources", () => {
  test("each has a struct, and so has each subresource's kind", () => {
    const missing = resourceTable().flatMap((resource) => {
      const { group, version, kind } = resource;
      const kinds = [
        { group, version, kind },
        ...resource.subresources.map((sub) => ({ group, version, ...sub })),
      ];
      return kinds
        .filter((gvk) => schemaForKind(gvk) === undefined)
        .map((gvk) => `${gvk.group}/${gvk.kind}`);
    });
    assert.deepEqual(missing, []);
  });

  test("what is persisted has a prefix and a hash, and no two share a prefix", () => {
    const byPrefix = new Map<string, string>();
    for (const { etcdPrefix, storage, storageVersionHash, resource } of resourceTable()) {
      assert.equal(storage === undefined, etcdPrefix === undefined);
      if (etcdPrefix === undefined) continue;
      assert(storageVersionHash !== undefined, resource);
      assert.equal(byPrefix.get(etcdPrefix) ?? resource, resource);
      byPrefix.set(etcdPrefix, resource);
    }
  });

  test("every group version has its place in the order", () => {
    const ordered = new Set(
      groupOrder().flatMap(({ group, versions }) =>
        versions.map(({ version }) => `${group}/${version}`),
      ),
    );
    const lost = resourceTable().filter((r) => !ordered.has(`${r.group}/${r.version}`));
    assert.deepEqual([...new Set(lost.map((r) => r.group))], ["apiregistration.k8s.io"]);
  });
});
