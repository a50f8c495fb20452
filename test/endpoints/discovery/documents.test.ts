import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { resourceTable } from "../../../src/apis/schemas.ts";
import * as documents from "../../../src/endpoints/discovery/documents.ts";
import {
  builtInGroups,
  compareVersions,
  type ServedGroup,
  sortGroups,
  storageVersionHash,
} from "../../../src/endpoints/discovery/resources.ts";
import { sharedPath } from "../../apimachinery/runtime/shared.ts";

const json = (document: documents.DiscoveryDocument): unknown =>
  JSON.parse(documents.encodeDocument(document).body.toString());

const widgets: ServedGroup = {
  group: "lab.example",
  priority: 1000,
  explicitKinds: true,
  versions: [
    {
      version: "v1",
      resources: [
        {
          resource: "widgets",
          kind: "Widget",
          singular: "widget",
          shortNames: ["wd"],
          categories: [],
          namespaced: true,
          verbs: ["get", "list"],
          subresources: [{ name: "status", kind: "Widget", verbs: ["get"] }],
          storageVersionHash: "abc=",
        },
      ],
    },
  ],
};

test("the documents print in the order of upstream's structs", () => {
  assert.equal(
    documents.encodeDocument(documents.apiVersions("127.0.0.1:6443")).body.toString(),
    '{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"127.0.0.1:6443"}]}\n',
  );
  assert.equal(
    documents.encodeDocument(documents.apiGroup(widgets)).body.toString(),
    '{"kind":"APIGroup","apiVersion":"v1","name":"lab.example","versions":[{"groupVersion":"lab.example/v1","version":"v1"}],"preferredVersion":{"groupVersion":"lab.example/v1","version":"v1"}}\n',
  );
  const [version] = widgets.versions;
  assert(version !== undefined);
  assert.equal(
    documents.encodeDocument(documents.apiResourceList("lab.example", version)).body.toString(),
    '{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"lab.example/v1","resources":[{"name":"widgets","singularName":"widget","namespaced":true,"kind":"Widget","verbs":["get","list"],"shortNames":["wd"],"storageVersionHash":"abc="},{"name":"widgets/status","singularName":"","namespaced":true,"kind":"Widget","verbs":["get"]}]}\n',
  );
});

test("custom kinds name their group and version in aggregated discovery, built-in ones do not", () => {
  const { body, etag } = documents.encodeDocument(documents.aggregatedDiscovery([widgets]));
  assert.match(
    body.toString(),
    /"responseKind":\{"group":"lab.example","version":"v1","kind":"Widget"\}/,
  );
  assert.match(etag, /^"[0-9A-F]{128}"$/);
  const apps = builtInGroups().filter(({ group }) => group === "apps");
  const text = documents.encodeDocument(documents.aggregatedDiscovery(apps)).body.toString();
  assert.match(text, /"responseKind":\{"group":"","version":"","kind":"Deployment"\}/);
});

test("groups stand in their order, the aggregator's own first", () => {
  const names = sortGroups([widgets, ...builtInGroups()]).map(({ group }) => group);
  assert.deepEqual(names.slice(0, 4), ["apiregistration.k8s.io", "", "apps", "events.k8s.io"]);
  assert.equal(names.at(-1), "lab.example");
});

test("versions: GA, beta, alpha, then the rest", () => {
  const versions = ["foo", "v1alpha1", "v10", "v2", "v1beta2", "v1", "v1beta10", "bar"];
  assert.deepEqual(versions.sort(compareVersions), [
    "v10",
    "v2",
    "v1",
    "v1beta10",
    "v1beta2",
    "v1alpha1",
    "bar",
    "foo",
  ]);
});

test("storage version hashes are computed from the storage kind", () => {
  for (const { storage, storageVersionHash: hash } of resourceTable()) {
    if (storage !== undefined) assert.equal(storageVersionHash(storage), hash);
  }
});

const facts = sharedPath("facts/discovery");
describe("recorded documents, every API on", { skip: facts === undefined }, () => {
  const groups = builtInGroups(() => true);
  const core = groups.find(({ group }) => group === "");
  const others = groups.filter((group) => group !== core);
  const recorded = (file: string): unknown => JSON.parse(readFileSync(`${facts}/${file}`, "utf8"));

  test("/api/v1", () => {
    const version = core?.versions[0];
    assert(version !== undefined);
    assert.deepEqual(json(documents.apiResourceList("", version)), recorded("api__v1.json"));
  });
  test("/apis", () =>
    assert.deepEqual(json(documents.apiGroupList(groups)), recorded("apis.json")));
  test("aggregated", () => {
    assert.deepEqual(json(documents.aggregatedDiscovery(others)), recorded("aggregated_v2.json"));
  });
});
