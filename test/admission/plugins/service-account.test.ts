import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceAccountPlugin } from "../../../src/admission/plugins/service-account.ts";
import type { Pod } from "../../../src/apis/core/v1/types.ts";
import { FakeCluster, podOf, run } from "../fakes.ts";

type Spec = Record<string, unknown>;
const ENFORCE = { "kubernetes.io/enforce-mountable-secrets": "true" };

function pluginWith(account: Spec = {}, annotations: Record<string, string> = {}) {
  const cluster = new FakeCluster();
  cluster.add("serviceaccounts", {
    metadata: { name: "default", namespace: "ns", annotations },
    ...account,
  });
  return serviceAccountPlugin(cluster, { sleep: async () => undefined });
}

test("a pod runs as default, with a token mounted where nothing is", async () => {
  const plugin = pluginWith({ imagePullSecrets: [{ name: "pull" }] });
  const mounted = { mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", name: "own" };
  const { object } = await run(plugin as never, {
    object: podOf([{}, { volumeMounts: [mounted] }]),
  });
  const { spec } = object as Pod;
  assert.equal(spec?.serviceAccountName, "default");
  assert.equal(spec?.serviceAccount, "default");
  assert.deepEqual(spec?.imagePullSecrets, [{ name: "pull" }]);
  assert.match(spec?.volumes?.[0]?.name ?? "", /^kube-api-access-[a-z0-9]{5}$/);
  assert.equal(spec?.containers?.[0]?.volumeMounts?.length, 1);
  assert.deepEqual(spec?.containers?.[1]?.volumeMounts, [mounted]);
});

test("no token where pod or account wants none; the pod decides", async () => {
  const plugin = pluginWith({ automountServiceAccountToken: false });
  const { object } = await run(plugin as never, { object: podOf([{}]) });
  assert.equal((object as Pod).spec?.volumes, undefined);
  const wants = podOf([{}], { automountServiceAccountToken: true });
  const { object: pod } = await run(plugin as never, { object: wants });
  assert.equal((pod as Pod).spec?.volumes?.length, 1);
});

test("an account that is not there", async () => {
  const plugin = pluginWith();
  const { message } = await run(plugin as never, {
    object: podOf([{}], { serviceAccountName: "x" }),
  });
  assert.equal(
    message,
    'pods "p" is forbidden: error looking up service account ns/x: serviceaccount "x" not found',
  );
});

const env = (name: string) => ({
  env: [{ name: "E", valueFrom: { secretKeyRef: { name, key: "k" } } }],
});
const envFrom = (name: string) => ({ envFrom: [{ secretRef: { name } }] });
const because = "is not allowed because service account default does not reference that";
const rows: readonly [string, Spec, Spec, string][] = [
  ["a secret it has", env("good"), {}, ""],
  [
    "envVar",
    env("bad"),
    {},
    `container c1 with envVar E referencing secret.secretName="bad" ${because} secret`,
  ],
  [
    "envFrom",
    envFrom("bad"),
    {},
    `container c1 with envFrom referencing secret.secretName="bad" ${because} secret`,
  ],
  [
    "init",
    {},
    { initContainers: [{ name: "i", ...envFrom("bad") }] },
    `init container i with envFrom referencing secret.secretName="bad" ${because} secret`,
  ],
  [
    "volume",
    {},
    { volumes: [{ name: "v", secret: { secretName: "bad" } }] },
    `volume with secret.secretName="bad" ${because} secret`,
  ],
  [
    "pull",
    {},
    { imagePullSecrets: [{ name: "bad" }] },
    `imagePullSecrets[0].name="bad" ${because} imagePullSecret`,
  ],
];
for (const [name, container, spec, says] of rows) {
  test(`mountable secrets: ${name}`, async () => {
    const account = { secrets: [{ name: "good" }] };
    const object = podOf([container], spec);
    const { message } = await run(pluginWith(account, ENFORCE) as never, { object });
    assert.equal(message, says === "" ? "" : `pods "p" is forbidden: ${says}`);
    assert.equal(
      (await run(pluginWith(account) as never, { object: podOf([container], spec) })).message,
      "",
    );
  });
}

test("mountable secrets: ephemeral containers", async () => {
  const plugin = pluginWith({ secrets: [{ name: "good" }] }, ENFORCE);
  const debug = (secret: string) =>
    run(plugin as never, {
      operation: "UPDATE",
      subresource: "ephemeralcontainers",
      object: podOf([{}], {
        serviceAccountName: "default",
        ephemeralContainers: [{ name: "e", ...envFrom(secret) }],
      }),
    });
  assert.equal((await debug("good")).message, "");
  assert.match((await debug("bad")).message, /ephemeral container e with envFrom referencing/);
});

test("a mirror pod refers to nothing", async () => {
  const mirror = (spec: Spec) => ({
    ...podOf([{}], spec),
    metadata: { name: "p", namespace: "ns", annotations: { "kubernetes.io/config.mirror": "x" } },
  });
  const of = async (spec: Spec) =>
    (await run(pluginWith() as never, { object: mirror(spec) })).message;
  assert.equal(await of({}), "");
  assert.match(await of({ serviceAccountName: "x" }), /may not reference service accounts/);
  assert.match(await of({ imagePullSecrets: [{ name: "x" }] }), /may not reference secrets/);
  const sources = [{ serviceAccountToken: { path: "t" } }];
  assert.match(
    await of({ volumes: [{ name: "v", projected: { sources } }] }),
    /may not use ServiceAccountToken volume projections/,
  );
});
