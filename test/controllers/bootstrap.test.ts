import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient } from "../../src/controllers/api-client.ts";
import { collectIdentityLeases } from "../../src/controllers/bootstrap/identity-lease.ts";
import { ensureServiceCidr } from "../../src/controllers/bootstrap/kubernetes-service.ts";
import { coalesced } from "../../src/controllers/coalesced.ts";

const now = new Date("2026-01-01T12:00:00Z");
const lease = (name: string, renewTime: string | undefined, leaseDurationSeconds = 3600) => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion: "7" },
  spec: { ...(renewTime === undefined ? {} : { renewTime }), leaseDurationSeconds },
});

test("leases of servers that are gone are deleted, if they are still what was read", async () => {
  const deleted: unknown[] = [];
  const client = {
    list: async () => ({
      items: [
        lease("alive", "2026-01-01T11:30:00.000000Z"),
        lease("gone", "2026-01-01T10:59:59.000000Z"),
        lease("never", undefined),
      ],
    }),
    delete: async (path: string, options: unknown) => void deleted.push([path, options]),
  } as unknown as ApiClient;
  await collectIdentityLeases(client, now);
  const root = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
  assert.deepEqual(deleted, [
    [`${root}/gone`, { preconditions: { uid: "uid-gone", resourceVersion: "7" } }],
    [`${root}/never`, { preconditions: { uid: "uid-never", resourceVersion: "7" } }],
  ]);
});

test("the default ServiceCIDR gets its second family, and nothing else", async () => {
  const patches = async (stored: string[], flags: string[]) => {
    const sent: unknown[] = [];
    const current = { spec: { cidrs: stored }, status: { conditions: [{ type: "Ready" }] } };
    const client = {
      find: async () => current,
      get: async () => current,
      patch: async (_path: string, patch: unknown) => void sent.push(patch),
    } as unknown as ApiClient;
    await ensureServiceCidr(client, { serviceRanges: flags } as never, now);
    return sent;
  };
  const [four, six] = ["10.0.0.0/24", "fd00::/112"] as const;
  assert.deepEqual(await patches([four], [four, six]), [{ spec: { cidrs: [four, six] } }]);
  assert.deepEqual(await patches([four], [four]), []);
  assert.deepEqual(await patches([four], ["10.1.0.0/24", six]), []);
  assert.deepEqual(await patches([four, six], [four, six]), []);
});

test("coalesced work runs once for many calls, and again for those that came meanwhile", async () => {
  let runs = 0;
  let finish = () => {};
  const stop = new AbortController();
  const work = () => {
    runs++;
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  };
  const ask = coalesced(work, { signal: stop.signal, onError: () => assert.fail() });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 80));
  ask();
  ask();
  await settle();
  assert.equal(runs, 1);
  ask();
  ask();
  await settle();
  assert.equal(runs, 1);
  finish();
  await settle();
  assert.equal(runs, 2);
  finish();
  await settle();
  assert.equal(runs, 2);
  stop.abort();
  ask();
  await settle();
  assert.equal(runs, 2);
});
