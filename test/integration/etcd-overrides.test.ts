import assert from "node:assert/strict";
import { test } from "node:test";
import { createEtcdBackend } from "../../src/storage/etcd3/backend.ts";
import { findEtcd, TestEtcd } from "../tools/etcd.ts";
import { freePort, ServerProcess } from "./server-process.ts";

const noEtcd = findEtcd() === undefined ? "no etcd" : false;

test("single resources have their own etcd", { skip: noEtcd, timeout: 60_000 }, async () => {
  const etcds = [new TestEtcd({ port: 22030 }), new TestEtcd({ port: 22032 })] as const;
  const [main, other] = etcds;
  await Promise.all(etcds.map((etcd) => etcd.start()));
  const keys = await ServerProcess.start();
  const pki = (file: string) => `${keys.folder}/data/pki/${file}`;
  const server = new ServerProcess(await freePort(), [
    `--etcd-servers=${main.endpoint}`,
    `--etcd-servers-overrides=/events#${other.endpoint},apps/deployments#${other.endpoint}`,
    `--client-ca-file=${pki("ca.crt")}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-signing-key-file=${pki("sa.key")}`,
    `--service-account-key-file=${pki("sa.pub")}`,
  ]);
  const backends = etcds.map(({ endpoint }) => createEtcdBackend({ endpoints: [endpoint] }));
  const keysUnder = async (index: number, prefix: string) => {
    const range = { start: prefix, end: `${prefix}~`, keysOnly: true };
    return ((await backends[index]?.range(range))?.kvs ?? []).map(({ key }) => key);
  };
  try {
    await server.ready();
    const headers = { "content-type": "application/json" };
    const admin = { ...keys.admin, headers };
    const create = async (path: string, body: object) => {
      const answer = await server.ask(path, { ...admin, method: "POST" }, JSON.stringify(body));
      assert.equal(answer.status, 201, answer.body);
    };
    await create("/apis/apps/v1/namespaces/default/deployments", {
      metadata: { name: "web" },
      spec: {
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: { containers: [{ name: "main", image: "registry.example/web" }] },
        },
      },
    });
    await create("/api/v1/namespaces/default/events", {
      metadata: { name: "happened" },
      involvedObject: { namespace: "default" },
    });
    await create("/api/v1/namespaces/default/configmaps", { metadata: { name: "here" } });

    const deployments = "/apis/apps/v1/namespaces/default/deployments";
    for (const path of [`${deployments}/web`, deployments]) {
      const answer = await server.ask(path, keys.admin); // a consistent read
      assert.equal(answer.status, 200);
      assert.match(answer.body, /"name":"web"/);
    }
    const deployment = "/registry/deployments/default/web";
    const event = "/registry/events/default/happened";
    assert.deepEqual(await keysUnder(1, "/registry/"), [deployment, event]);
    assert.deepEqual(await keysUnder(0, deployment), []);
    assert.deepEqual(await keysUnder(0, "/registry/configmaps/default/"), [
      "/registry/configmaps/default/here",
    ]);
  } finally {
    for (const backend of backends) await backend.close();
    await server.stop();
    await keys.stop();
    for (const etcd of etcds) await etcd.stop();
  }
});
