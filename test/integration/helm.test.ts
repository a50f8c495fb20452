// helm 4 through a release's whole life; it applies server-side.
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

async function run(client: "helm" | "kubectl", command: string): Promise<string> {
  const kubeconfig = join(server.folder, "data", "admin.kubeconfig");
  const options = { kubeconfig, home: server.folder };
  const { code, stdout, stderr } = await runClient(client, command.split(" "), options);
  assert.equal(code, 0, `${client} ${command}: ${stderr}`);
  return stdout;
}

test("install, upgrade, list, rollback, uninstall", { timeout: 120_000 }, async () => {
  await run("helm", "create chart");
  assert.match(await run("helm", "install release chart"), /STATUS: deployed/);
  assert.match(await run("helm", "upgrade release chart --set replicaCount=3"), /upgraded/);
  const replicas = "get deploy release-chart -o jsonpath={.spec.replicas}";
  assert.equal(await run("kubectl", replicas), "3");
  assert.match(await run("helm", "list"), /release\s+default\s+2\s/);
  assert.match(await run("helm", "rollback release 1"), /success/);
  assert.equal(await run("kubectl", replicas), "1");
  assert.match(await run("helm", "uninstall release"), /uninstalled/);
  assert.equal(await run("kubectl", "get deploy -o name"), "");
});
