import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthorizedRequest, BytesResponse } from "../../src/request/request.ts";
import { HealthRegistry } from "../../src/server/health.ts";
import { request } from "./requests.ts";

async function ask(registry: HealthRegistry, target: string): Promise<string | undefined> {
  const received = request("GET", target);
  const handler = registry.lookup(received.info.path);
  if (handler === undefined) return undefined;
  // The gates have no part in this test.
  const response = (await handler(received as unknown as AuthorizedRequest)) as BytesResponse;
  return `${response.status} ${response.body}`;
}

const registry = () => {
  const made = new HealthRegistry();
  made.add("etcd", async () => {});
  made.add("bad", () => Promise.reject(new Error("secret reason")), ["readyz"]);
  return made;
};

const cases: readonly [string, string | undefined][] = [
  ["/healthz", "200 ok"],
  ["/livez?verbose", "200 [+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n"],
  [
    "/readyz",
    "500 [+]ping ok\n[+]log ok\n[+]etcd ok\n[-]bad failed: reason withheld\nreadyz check failed\n",
  ],
  ["/readyz?exclude=bad", "200 ok"],
  [
    "/readyz?exclude=bad&verbose",
    "200 [+]ping ok\n[+]log ok\n[+]etcd ok\n[+]bad excluded: ok\nreadyz check passed\n",
  ],
  [
    "/livez?exclude=none&verbose",
    '200 [+]ping ok\n[+]log ok\n[+]etcd ok\nwarn: some health checks cannot be excluded: no matches for "none"\nlivez check passed\n',
  ],
  ["/readyz/etcd", "200 ok"],
  ["/readyz/bad", "500 internal server error: secret reason\n"],
  ["/livez/bad", undefined],
  ["/livez/none", undefined],
  ["/other", undefined],
];
for (const [target, want] of cases) {
  test(`GET ${target}`, async () => {
    assert.equal(await ask(registry(), target), want);
  });
}

test("a post-start hook fails until it is done", async () => {
  const made = new HealthRegistry();
  const done = made.addPostStartHook("rbac/bootstrap-roles");
  const path = "/readyz/poststarthook/rbac/bootstrap-roles";
  assert.equal(await ask(made, path), "500 internal server error: not finished\n");
  done();
  assert.equal(await ask(made, path), "200 ok");
});
test("every result is observed", async () => {
  const seen: string[] = [];
  const made = new HealthRegistry((...of) => seen.push(of.join()));
  made.add("bad", () => {
    throw new Error("x");
  });
  await ask(made, "/livez");
  assert.deepEqual(seen.sort(), ["livez,bad,false", "livez,log,true", "livez,ping,true"]);
});
