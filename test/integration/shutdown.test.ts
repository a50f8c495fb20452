import assert from "node:assert/strict";
import { test } from "node:test";
import { findEtcd, TestEtcd } from "../tools/etcd.ts";
import { freePort, ServerProcess } from "./server-process.ts";

const noEtcd = findEtcd() === undefined ? "no etcd" : false;

test("a server whose etcd is gone ends within 3 s", { skip: noEtcd, timeout: 60_000 }, async () => {
  const etcd = new TestEtcd({ port: 22014 });
  await etcd.start();
  const keys = await ServerProcess.start();
  const pki = (file: string) => `${keys.folder}/data/pki/${file}`;
  const server = new ServerProcess(await freePort(), [
    `--etcd-servers=${etcd.endpoint}`,
    `--client-ca-file=${pki("ca.crt")}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-signing-key-file=${pki("sa.key")}`,
    `--service-account-key-file=${pki("sa.pub")}`,
  ]);
  try {
    await server.ready();
    await etcd.kill();
    // Controllers of the server run into it meanwhile, and so does a client.
    const waits = server.ask("/api/v1/namespaces/default", { agent: false }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const told = Date.now();
    server.kill("SIGTERM");
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(Date.now() - told < 3_000, `${Date.now() - told} ms`);
    await waits;
  } finally {
    server.kill("SIGKILL");
    server.remove();
    await keys.stop();
    await etcd.stop();
  }
});
