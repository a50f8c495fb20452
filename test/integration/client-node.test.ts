// @kubernetes/client-node against the server as it starts with no flags.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  type KubernetesListObject,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Status,
  Watch,
} from "@kubernetes/client-node";
import { ServerProcess } from "./server-process.ts";

const NAMESPACE = "default";
const timeout = 60_000;
let server: ServerProcess;
let config: KubeConfig;
let core: CoreV1Api;

before(async () => {
  server = await ServerProcess.start();
  config = new KubeConfig();
  config.loadFromFile(join(server.folder, "data", "admin.kubeconfig"));
  core = config.makeApiClient(CoreV1Api);
});
after(() => server.stop());

const configMap = (name: string, value: string): V1ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels: { part: "client" } },
  data: { value },
});
const create = (name: string, value = "1") =>
  core.createNamespacedConfigMap({ namespace: NAMESPACE, body: configMap(name, value) });
const remove = (name: string) => core.deleteNamespacedConfigMap({ namespace: NAMESPACE, name });

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!isTrue()) {
    assert.ok(Date.now() < deadline, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const statusOf = (error: unknown): V1Status => {
  assert.ok(error instanceof ApiException);
  return typeof error.body === "string" ? JSON.parse(error.body) : error.body;
};

test("create, read, replace, delete; errors are Status", { timeout }, async () => {
  const created = await create("plain");
  assert.equal(created.data?.["value"], "1");
  assert.ok(created.metadata?.creationTimestamp instanceof Date);
  const body = { ...created, data: { value: "2" } };
  const replaced = await core.replaceNamespacedConfigMap({
    namespace: NAMESPACE,
    name: "plain",
    body,
  });
  assert.notEqual(replaced.metadata?.resourceVersion, created.metadata?.resourceVersion);
  await assert.rejects(
    core.replaceNamespacedConfigMap({ namespace: NAMESPACE, name: "plain", body }),
    (error) => {
      const { code, reason, message } = statusOf(error);
      assert.deepEqual([code, reason], [409, "Conflict"]);
      return /the object has been modified/.test(message ?? "");
    },
  );
  const deleting = {
    ...replaced,
    metadata: { ...replaced.metadata, deletionTimestamp: new Date() },
  };
  await assert.rejects(
    core.replaceNamespacedConfigMap({ namespace: NAMESPACE, name: "plain", body: deleting }),
    (error) => {
      const { reason, message } = statusOf(error);
      assert.equal(reason, "Invalid");
      return /metadata\.deletionTimestamp: .*field is immutable/.test(message ?? "");
    },
  );
  await assert.rejects(create("plain"), (error) => statusOf(error).reason === "AlreadyExists");
  await remove("plain");
  await assert.rejects(
    core.readNamespacedConfigMap({ namespace: NAMESPACE, name: "plain" }),
    (error) => statusOf(error).reason === "NotFound",
  );
});

test("all four kinds of patch", { timeout }, async () => {
  await create("patched");
  const of = { namespace: NAMESPACE, name: "patched" };
  const patch = (strategy: PatchStrategy, body: unknown, more = {}) =>
    core.patchNamespacedConfigMap(
      { ...of, ...more, body },
      setHeaderOptions("Content-Type", strategy),
    );
  const byJson = await patch(PatchStrategy.JsonPatch, [
    { op: "add", path: "/data/json", value: "a" },
  ]);
  assert.deepEqual(byJson.data, { value: "1", json: "a" });
  const byMerge = await patch(PatchStrategy.MergePatch, { data: { json: null, merge: "b" } });
  assert.deepEqual(byMerge.data, { value: "1", merge: "b" });
  const strategic = await patch(PatchStrategy.StrategicMergePatch, {
    metadata: { labels: { more: "x" } },
  });
  assert.deepEqual(strategic.metadata?.labels, { part: "client", more: "x" });
  const applied = await patch(
    PatchStrategy.ServerSideApply,
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "patched" }, data: { apply: "c" } },
    { fieldManager: "client-test" },
  );
  assert.equal(applied.data?.["apply"], "c");
  const managers = (applied.metadata?.managedFields ?? []).map(({ manager }) => manager);
  assert.ok(managers.includes("client-test"), managers.join());
  await remove("patched");
});

test("lists in pages, with selectors", { timeout }, async () => {
  for (let i = 0; i < 5; i++) await create(`page-${i}`);
  const names: string[] = [];
  let next: string | undefined;
  do {
    const page: KubernetesListObject<V1ConfigMap> & { metadata?: { _continue?: string } } =
      await core.listNamespacedConfigMap({
        namespace: NAMESPACE,
        labelSelector: "part=client",
        limit: 2,
        ...(next === undefined ? {} : { _continue: next }),
      });
    assert.ok(page.items.length <= 2);
    names.push(...page.items.map((item) => item.metadata?.name ?? ""));
    next = page.metadata?._continue;
  } while (next);
  assert.deepEqual(names, ["page-0", "page-1", "page-2", "page-3", "page-4"]);
  await core.deleteCollectionNamespacedConfigMap({
    namespace: NAMESPACE,
    labelSelector: "part=client",
  });
  const left = await core.listNamespacedConfigMap({
    namespace: NAMESPACE,
    labelSelector: "part=client",
  });
  assert.deepEqual(left.items, []);
});

test("a watch brings each event by itself, bookmarks too", { timeout }, async () => {
  const { metadata } = await core.listNamespacedConfigMap({ namespace: NAMESPACE });
  const events: string[] = [];
  let ended = false;
  const query = {
    resourceVersion: metadata?.resourceVersion ?? "",
    allowWatchBookmarks: true,
    timeoutSeconds: 4,
    labelSelector: "part=client",
  };
  await new Watch(config).watch(
    `/api/v1/namespaces/${NAMESPACE}/configmaps`,
    query,
    (type: string, object: V1ConfigMap) => {
      events.push(type === "BOOKMARK" ? type : `${type} ${object.data?.["value"]}`);
    },
    () => {
      ended = true;
    },
  );
  await create("watched", "a");
  // No later event pushes this one out.
  await until("the event comes alone", () => events.length === 1);
  await core.replaceNamespacedConfigMap({
    namespace: NAMESPACE,
    name: "watched",
    body: configMap("watched", "b"),
  });
  await until("the second event comes", () => events.length === 2);
  await remove("watched");
  await until("the watch ends by its timeout", () => ended);
  assert.deepEqual(
    events.filter((type) => type !== "BOOKMARK"),
    ["ADDED a", "MODIFIED b", "DELETED b"],
  );
  assert.equal(events.at(-1), "BOOKMARK");
});

test("an informer follows through the end of a watch", { timeout }, async () => {
  await create("before");
  const seen = new Map<string, string>();
  const list = () => core.listNamespacedConfigMap({ namespace: NAMESPACE });
  const informer = makeInformer<V1ConfigMap>(
    config,
    `/api/v1/namespaces/${NAMESPACE}/configmaps`,
    list,
    "part=client",
  );
  const note = ({ metadata, data }: V1ConfigMap) => {
    seen.set(metadata?.name ?? "", data?.["value"] ?? "");
  };
  informer.on("add", note);
  informer.on("update", note);
  informer.on("delete", ({ metadata }) => {
    seen.delete(metadata?.name ?? "");
  });
  await informer.start();
  await until("what was there is there", () => seen.get("before") === "1");
  await create("behind", "x");
  await until("what comes is seen", () => seen.get("behind") === "x");
  await core.replaceNamespacedConfigMap({
    namespace: NAMESPACE,
    name: "behind",
    body: configMap("behind", "y"),
  });
  await until("what changes is seen", () => seen.get("behind") === "y");
  await Promise.all([remove("before"), remove("behind")]);
  await until("what goes is gone", () => !seen.has("behind") && !seen.has("before"));
  await informer.stop();
});

test("objects of any kind, and subresources", { timeout }, async () => {
  const any = KubernetesObjectApi.makeApiClient(config);
  const template = {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image: "nginx" }] },
  };
  const spec = { replicas: 1, selector: { matchLabels: { app: "web" } }, template };
  const metadata = { name: "web", namespace: NAMESPACE };
  await any.create({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec } as never);
  const apps = config.makeApiClient(AppsV1Api);
  const of = { namespace: NAMESPACE, name: "web" };
  const scale = await apps.readNamespacedDeploymentScale(of);
  assert.equal(scale.spec?.replicas, 1);
  await apps.replaceNamespacedDeploymentScale({ ...of, body: { ...scale, spec: { replicas: 4 } } });
  assert.equal((await apps.readNamespacedDeployment(of)).spec?.replicas, 4);
  await any.delete({ apiVersion: "apps/v1", kind: "Deployment", metadata });
});
