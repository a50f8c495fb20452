import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
});
after(() => server?.stop());

interface Item {
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: { readonly conditions?: readonly Record<string, string>[] };
}
async function items(path: string): Promise<readonly Item[]> {
  const answer = await server.ask(path, server.admin);
  assert.equal(answer.status, 200, answer.body);
  return (JSON.parse(answer.body) as { items?: readonly Item[] }).items ?? [];
}
async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 100; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never came");
}
async function send(method: string, path: string, body?: object): Promise<void> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const options = { ...server.admin, method, headers: { "content-type": type } };
  const answer = await server.ask(path, options, body === undefined ? "" : JSON.stringify(body));
  assert.ok(answer.status < 300, answer.body);
}

const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";
const named = async (name: string) =>
  (await items(apiServices)).find(({ metadata }) => metadata.name === name);

test("every built-in group version has an APIService, which comes back", async () => {
  const core = await eventually(() => named("v1."));
  const last = await eventually(() => named("v1.flowcontrol.apiserver.k8s.io"));
  assert.deepEqual(core.metadata.labels, {
    "kube-aggregator.kubernetes.io/automanaged": "onstart",
  });
  assert.deepEqual(core.spec, { version: "v1", groupPriorityMinimum: 18000, versionPriority: 1 });
  assert.deepEqual(last.spec, {
    group: "flowcontrol.apiserver.k8s.io",
    version: "v1",
    groupPriorityMinimum: 16100,
    versionPriority: 21,
  });
  const [condition] = core.status?.conditions ?? [];
  assert.equal(condition?.["reason"], "Local");
  assert.equal(condition?.["message"], "Local APIServices are always available");
  assert.equal(await named("v1alpha1.internal.apiserver.k8s.io"), undefined, "not served");

  await send("DELETE", `${apiServices}/v1.apps`);
  await eventually(() => named("v1.apps"));
  await send("PATCH", `${apiServices}/v1.batch`, { spec: { versionPriority: 99 } });
  await eventually(async () =>
    (await named("v1.batch"))?.spec["versionPriority"] === 15 ? true : undefined,
  );
});

const schemas = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
const dangling = async (name: string) =>
  (await items(schemas))
    .find(({ metadata }) => metadata.name === name)
    ?.status?.conditions?.find((one) => one["type"] === "Dangling")?.["status"];

test("flow schemas say whether their level exists", async () => {
  assert.equal(await eventually(() => dangling("global-default")), "False");
  await send("POST", schemas, {
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind: "FlowSchema",
    metadata: { name: "lost" },
    spec: { priorityLevelConfiguration: { name: "nowhere" }, matchingPrecedence: 50 },
  });
  assert.equal(await eventually(() => dangling("lost")), "True");
});
