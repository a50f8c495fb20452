// What people do every day, with the kubectl and helm they have: older ones ask in other ways.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ClientMinor, type ClientName, runClient } from "../tools/clients.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
});
after(() => server.stop());

const timeout = 120_000;
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

for (const minor of [32, 35] as const satisfies readonly ClientMinor[]) {
  const namespace = `kubectl-${minor}`;
  const run = async (client: ClientName, command: string, input?: string): Promise<string> => {
    const kubeconfig = join(server.folder, "data", "admin.kubeconfig");
    const given = input === undefined ? {} : { input };
    const options = { kubeconfig, home: server.folder, minor, ...given };
    const args = ["-n", namespace, ...command.split(" ")];
    const { code, stdout, stderr } = await runClient(client, args, options);
    assert.equal(code, 0, `${client} ${command}: ${stderr}`);
    return stdout;
  };
  const kubectl = (command: string, input?: string) => run("kubectl", command, input);

  describe(`kubectl 1.${minor}`, () => {
    test("creates, shows, labels, scales, waits, deletes", { timeout }, async () => {
      assert.match(await kubectl("version"), new RegExp(`Client Version: v1\\.${minor}\\.`));
      await kubectl(`create ns ${namespace}`);
      await kubectl("run pod --image=nginx --labels=app=web");
      assert.match(await kubectl("get pods -o wide"), /pod +0\/1 +Pending +0 +\d+s/);
      assert.match(await kubectl("describe pod pod"), /kube-api-access-/);
      await kubectl("create deployment deploy --image=nginx");
      await kubectl("label deploy deploy tier=front");
      await kubectl("scale deploy deploy --replicas=3");
      assert.match(await kubectl("get deploy deploy"), /deploy +0\/3/);
      assert.match(await kubectl("get deploy deploy --subresource=scale"), /DESIRED/);
      assert.match(await kubectl("rollout history deploy deploy"), /deploy/);
      await kubectl("wait --for=jsonpath={.kind}=Pod pod/pod --timeout=5s");
      await kubectl("delete pod pod --grace-period=0 --force");
    });

    test("applies manifests, validates them, shows the difference", { timeout }, async () => {
      assert.match(await kubectl("apply -f -", manifest("1")), /first created\nsecret\/second/);
      assert.match(await kubectl("apply -f -", manifest("1")), /first unchanged/);
      const applied = "apply --server-side --force-conflicts -f -";
      assert.match(await kubectl(applied, manifest("3")), /first serverside-applied/);
      const wrong = manifest("1").replace("\ndata:", "\ndate:");
      await assert.rejects(kubectl("apply -f -", wrong), /unknown field "date"/);
      await kubectl("delete -f -", manifest("3"));
    });

    test("knows what there is", { timeout }, async () => {
      assert.match(await kubectl("api-resources"), /deployments +deploy +apps\/v1 +true/);
      assert.match(await kubectl("explain pod.spec.containers.imagePullPolicy"), /ENUM:/);
      assert.match(await kubectl("explain deploy.spec --recursive"), /matchLabels/);
      assert.match(await kubectl("auth can-i create pods"), /yes/);
      assert.match(await kubectl("get all"), /deployment.apps\/deploy/);
    });

    test("its helm installs, upgrades, rolls back, uninstalls", { timeout }, async () => {
      const chart = `chart-${minor}`;
      await run("helm", `create ${chart}`);
      assert.match(await run("helm", `install release ${chart}`), /STATUS: deployed/);
      assert.match(await run("helm", `upgrade release ${chart} --set replicaCount=3`), /upgraded/);
      assert.match(await run("helm", "rollback release 1"), /success/);
      assert.match(await run("helm", "list"), /release\s+\S+\s+3\s/);
      assert.match(await run("helm", "uninstall release"), /uninstalled/);
      await kubectl(`delete ns ${namespace} --timeout=30s`);
    });
  });
}
