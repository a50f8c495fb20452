import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthorizedRequest, BytesResponse } from "../../src/request/request.ts";
import { HealthRegistry } from "../../src/server/health.ts";
import { checkOrder, registerInherentHooks } from "../../src/server/inherent-hooks.ts";

test("checks that monitors ask for by name pass, and a part may take one over", async () => {
  const health = new HealthRegistry();
  registerInherentHooks(health);
  const ask = async (path: string) => {
    const request = { method: "GET", query: new URLSearchParams() } as unknown as AuthorizedRequest;
    return ((await health.lookup(path)?.(request)) as BytesResponse | undefined)?.status;
  };
  assert.equal(await ask("/livez/loopback-serving-certificate"), 200);
  assert.equal(await ask("/readyz/loopback-serving-certificate"), undefined);
  assert.equal(await ask("/readyz/autoregister-completion"), 200);
  const hook = "/readyz/poststarthook/apiservice-registration-controller";
  assert.equal(await ask(hook), 200);
  const done = health.addPostStartHook("apiservice-registration-controller");
  assert.equal(await ask(hook), 500);
  done();
  assert.equal(await ask(hook), 200);
});

test("checks are shown in upstream's order, whenever they were added", () => {
  const health = new HealthRegistry(undefined, checkOrder);
  health.add("shutdown", () => {}, ["readyz"]);
  registerInherentHooks(health, { proxyClientCert: true });
  health.add("kms-providers", () => {});
  health.add("etcd", () => {});
  const names = health.names("readyz");
  assert.deepEqual(names.slice(0, 3), ["ping", "log", "etcd"]);
  assert.deepEqual(names.slice(-2), ["kms-providers", "shutdown"]);
  assert.ok(names.includes("poststarthook/aggregator-reload-proxy-client-cert"));
});
