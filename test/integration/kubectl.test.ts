// A new user's first hour with kubectl, against the server as it starts with no flags at all.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runClient } from "../tools/clients.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
});
after(() => server.stop());

async function kubectl(command: string, input?: string): Promise<string> {
  const args = command.split(" ");
  const kubeconfig = join(server.folder, "data", "admin.kubeconfig");
  const options = { kubeconfig, home: server.folder, ...(input === undefined ? {} : { input }) };
  const { code, stdout, stderr } = await runClient("kubectl", args, options);
  assert.equal(code, 0, `kubectl ${command}: ${stderr}`);
  return stdout;
}
async function fails(command: string): Promise<string> {
  const kubeconfig = join(server.folder, "data", "admin.kubeconfig");
  const options = { kubeconfig, home: server.folder };
  const { code, stderr } = await runClient("kubectl", command.split(" "), options);
  assert.notEqual(code, 0, `kubectl ${command} must fail`);
  return stderr;
}
const timeout = 120_000;

test("kubectl run works at once", { timeout }, async () => {
  assert.match(await kubectl("run nginx-pod --image=nginx --labels=app=web"), /created/);
  assert.match(await kubectl("get pods"), /nginx-pod +0\/1 +Pending +0 +\d+s/);
  assert.match(await kubectl("get pods -o wide"), /NOMINATED NODE/);
  assert.match(await kubectl("describe pod nginx-pod"), /kube-api-access-/);
  assert.equal(await kubectl("get pod nginx-pod -o jsonpath={.status.phase}"), "Pending");
  assert.match(await kubectl("get pods -o custom-columns=N:.metadata.name"), /nginx-pod/);
  assert.match(await kubectl("get pods --field-selector=status.phase=Pending"), /nginx-pod/);
  assert.equal(await kubectl("get pods -l app=other -o name"), "");
  assert.match(await kubectl("wait --for=jsonpath={.kind}=Pod pod/nginx-pod --timeout=5s"), /met/);
  assert.match(await kubectl("delete pod nginx-pod --grace-period=0 --force"), /deleted/);
});

test("deployments: create, label, annotate, scale, patch, history", { timeout }, async () => {
  await kubectl("create deployment nginx-deploy --image=nginx");
  await kubectl("label deploy nginx-deploy tier=front");
  await kubectl("annotate deploy nginx-deploy note=1");
  await kubectl("scale deploy nginx-deploy --replicas=3");
  assert.match(await kubectl("get deploy"), /nginx-deploy +0\/3/);
  await kubectl("set image deploy/nginx-deploy nginx=nginx:1.27");
  assert.match(await kubectl("rollout history deploy nginx-deploy"), /nginx-deploy/);
  const patch = '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","tty":true}]}}}}';
  await kubectl(`patch deploy nginx-deploy -p ${patch}`);
  const containers = await kubectl(
    "get deploy nginx-deploy -o jsonpath={.spec.template.spec.containers[*].image}",
  );
  assert.equal(containers, "nginx:1.27");
  await kubectl("delete deploy nginx-deploy");
});

const manifest = (value: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: first}
data: {a: "${value}"}
---
apiVersion: v1
kind: Secret
metadata: {name: second}
stringData: {p: q}
`;

test("multi-document manifests: apply, diff, server-side apply, delete", { timeout }, async () => {
  assert.match(await kubectl("apply -f -", manifest("1")), /first created\nsecret\/second created/);
  assert.match(await kubectl("apply -f -", manifest("1")), /first unchanged/);
  assert.match(await kubectl("apply -f -", manifest("2")), /first configured/);
  const applied = await kubectl("apply --server-side --force-conflicts -f -", manifest("3"));
  assert.match(applied, /first serverside-applied/);
  assert.equal(await kubectl("get cm first -o jsonpath={.data.a}"), "3");
  assert.match(await kubectl("get secret second -o yaml"), /p: cQ==/);
  await kubectl("delete -f -", manifest("3"));
  assert.match(await fails("get cm first"), /NotFound/);
});

test("what there is: api-resources, api-versions, explain, version, whoami", {
  timeout,
}, async () => {
  assert.match(await kubectl("api-resources"), /deployments +deploy +apps\/v1 +true +Deployment/);
  assert.equal((await kubectl("api-versions")).trim().split("\n").length, 22);
  assert.match(await kubectl("explain pod.spec.containers"), /FIELD: containers/);
  assert.match(await kubectl("explain deploy.spec.strategy.type"), /FIELD: type/);
  assert.match(await kubectl("version"), /Server Version: v1\.36/);
  assert.match(await kubectl("cluster-info"), /control plane/);
  assert.match(await kubectl("auth whoami"), /kubernetes-admin/);
  assert.match(await kubectl("auth can-i create pods"), /yes/);
  assert.equal(JSON.parse(await kubectl("get --raw /version")).major, "1");
});

test("lists come in pages, watches bring what changes", { timeout }, async () => {
  for (let i = 0; i < 7; i++) await kubectl(`create cm page-${i} --from-literal=i=${i}`);
  const names = await kubectl("get cm --chunk-size=2 -o name");
  assert.equal(names.split("\n").filter((name) => name.includes("page-")).length, 7);
  const watching = kubectl("get cm page-0 -w -o name --request-timeout=3s");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await kubectl("label cm page-0 seen=yes");
  assert.equal((await watching).trim().split("\n").length, 2);
});

test("a namespace goes with all it holds", { timeout }, async () => {
  await kubectl("create ns short-lived");
  await kubectl("-n short-lived create cm content --from-literal=a=b");
  await kubectl("-n short-lived run sleeper --image=busybox");
  await kubectl("delete ns short-lived --timeout=30s");
  assert.match(await fails("get ns short-lived"), /NotFound/);
  assert.match(await fails("delete ns default"), /may not be deleted/);
});

for (const cascade of ["background", "foreground", "orphan"] as const) {
  test(`owners and dependents: ${cascade}`, { timeout }, async () => {
    const [owner, child] = [`owner-${cascade}`, `child-${cascade}`];
    await kubectl(`create cm ${owner}`);
    const uid = await kubectl(`get cm ${owner} -o jsonpath={.metadata.uid}`);
    const ownerReferences = [
      { apiVersion: "v1", kind: "ConfigMap", name: owner, uid, blockOwnerDeletion: true },
    ];
    const metadata = { name: child, ownerReferences };
    await kubectl("create -f -", JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata }));
    await kubectl(`delete cm ${owner} --cascade=${cascade} --timeout=20s`);
    if (cascade === "orphan") {
      assert.equal(await kubectl(`get cm ${child} -o jsonpath={.metadata.ownerReferences}`), "");
    } else {
      await kubectl(`wait --for=delete cm/${child} --timeout=20s`);
    }
  });
}
