// Forms of answers that only a whole server shows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ServerProcess } from "./server-process.ts";

const timeout = 60_000;
let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
});
after(() => server.stop());

async function ask(method: string, path: string, as: string, object?: object): Promise<string> {
  const accept = as === "" ? "application/json" : `application/json;as=${as};g=meta.k8s.io;v=v1`;
  const headers = { Accept: accept, "Content-Type": "application/json" };
  const body = object === undefined ? undefined : JSON.stringify(object);
  const answer = await server.ask(path, { ...server.admin, method, headers }, body);
  assert.ok(answer.status < 300, answer.body);
  return answer.body;
}

test("a collection is deleted as it is listed: whole, as metadata, as a Table", {
  timeout,
}, async () => {
  const path = "/api/v1/namespaces/default/configmaps";
  for (const [as, kind] of [
    ["", "ConfigMapList"],
    ["Table", "Table"],
    ["PartialObjectMetadataList", "PartialObjectMetadataList"],
  ] as const) {
    await ask("POST", path, "", { metadata: { name: "one", labels: { a: "b" } } });
    const deleted = JSON.parse(await ask("DELETE", `${path}?labelSelector=a%3Db`, as));
    assert.equal(deleted.kind, kind);
    assert.equal((deleted.items ?? deleted.rows).length, 1);
  }
});

test("a DaemonSet's template generation is no annotation of its metadata", {
  timeout,
}, async () => {
  const path = "/apis/apps/v1/namespaces/default/daemonsets";
  const labels = { a: "b" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const spec = { selector: { matchLabels: labels }, template };
  await ask("POST", path, "", { metadata: { name: "one" }, spec });
  const annotation = '"deprecated.daemonset.template.generation":"1"';
  const watch = `${path}?watch=1&timeoutSeconds=1`;
  for (const [target, as, shown] of [
    [path, "", true],
    [`${path}/one`, "PartialObjectMetadata", false],
    [path, "PartialObjectMetadataList", false],
    [path, "Table", false],
    [`${path}/one`, "Table", false],
    [`${path}?includeObject=Object`, "Table", true],
    [watch, "PartialObjectMetadata", false],
    [watch, "Table", false],
  ] as const) {
    const body = await ask("GET", target, as);
    assert.match(body, /"name":"one"/);
    assert.equal(body.includes(annotation), shown, `${target} ${as}`);
  }
});

test("a Scale as itself, as metadata, as a Table", { timeout }, async () => {
  const path = "/apis/apps/v1/namespaces/default/deployments";
  const labels = { a: "b" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const spec = { replicas: 3, selector: { matchLabels: labels }, template };
  await ask("POST", path, "", { metadata: { name: "two" }, spec });
  const scale = async (as: string) => JSON.parse(await ask("GET", `${path}/two/scale`, as));
  assert.equal((await scale("")).spec.replicas, 3);
  assert.equal((await scale("PartialObjectMetadata")).metadata.name, "two");
  const table = await scale("Table");
  const names = table.columnDefinitions.map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ["Name", "Desired", "Available", "Age"]);
  assert.deepEqual(table.rows[0].cells.slice(0, 3), ["two", 3, 0]);
  assert.equal(table.rows[0].object.kind, "PartialObjectMetadata");
});

test("a Job without labels has those of its pods, and nobody manages them", {
  timeout,
}, async () => {
  const path = "/apis/batch/v1/namespaces/default/jobs";
  const podSpec = { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] };
  const spec = { template: { spec: podSpec } };
  const made = JSON.parse(await ask("POST", path, "", { metadata: { name: "job" }, spec }));
  assert.deepEqual(made.metadata.labels, made.spec.template.metadata.labels);
  assert.equal(made.metadata.labels["job-name"], "job");
  const [own] = made.metadata.managedFields;
  assert.equal(own.fieldsV1["f:metadata"], undefined);
  const labelled = { metadata: { name: "other", labels: { a: "b" } }, spec };
  const other = JSON.parse(await ask("POST", path, "", labelled));
  assert.deepEqual(other.metadata.labels, { a: "b" });
});

test("components that nobody runs are refused in the words of Go's client", {
  timeout,
}, async () => {
  const list = JSON.parse(await ask("GET", "/api/v1/componentstatuses", ""));
  assert.deepEqual(list.metadata, {});
  const scheduler = list.items.find(
    ({ metadata }: { metadata: { name: string } }) => metadata.name === "scheduler",
  );
  const refused = /^Get "https:.*10259\/healthz": dial tcp .*: connect: connection refused$/;
  assert.match(scheduler.conditions[0].message, refused);
});

test("a deletion that waits for the collector can be asked for without it", {
  timeout,
}, async () => {
  const alone = await ServerProcess.start("--standalone=false");
  try {
    const path = "/api/v1/namespaces/default/configmaps";
    const send = async (method: string, target: string, object: object) => {
      const text = JSON.stringify(object);
      // Node leaves the length of a DELETE's body out.
      const headers = { "Content-Type": "application/json", "Content-Length": text.length };
      const options = { ...alone.admin, method, headers };
      const { status, body } = await alone.ask(target, options, text);
      return { status, object: JSON.parse(body) };
    };
    for (const [propagationPolicy, finalizer] of [
      ["Orphan", "orphan"],
      ["Foreground", "foregroundDeletion"],
    ] as const) {
      await send("POST", path, { metadata: { name: "waits" } });
      const waiting = await send("DELETE", `${path}/waits`, { propagationPolicy });
      assert.deepEqual(waiting.object.metadata.finalizers, [finalizer]);
      const gone = await send("DELETE", `${path}/waits`, { propagationPolicy: "Background" });
      assert.deepEqual([gone.status, gone.object.status], [200, "Success"]);
      assert.equal((await alone.ask(`${path}/waits`, alone.admin)).status, 404);
    }
  } finally {
    await alone.stop();
  }
});

test("reviews and tokens as metadata, not as Tables", { timeout }, async () => {
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const review = { spec: { nonResourceAttributes: { path: "/", verb: "get" } } };
  const shown = JSON.parse(await ask("POST", path, "PartialObjectMetadata", review));
  assert.deepEqual(Object.keys(shown), ["kind", "apiVersion", "metadata"]);
  const token = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const asked = JSON.parse(await ask("POST", token, "PartialObjectMetadata", { spec: {} }));
  assert.deepEqual([asked.kind, asked.metadata.name], ["PartialObjectMetadata", "default"]);
  await assert.rejects(ask("POST", path, "Table", review), /NotAcceptable/);
});
