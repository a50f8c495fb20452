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
