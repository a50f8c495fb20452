import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { imagePolicyWebhook } from "../../../src/admission/plugins/image-policy-webhook.ts";
import { retriesFrom, WebhookClient } from "../../../src/request/outgoing/webhook-client.ts";
import { podOf, run } from "../fakes.ts";

interface Review {
  readonly kind: string;
  readonly spec: { readonly containers: { image: string }[]; readonly annotations: object };
}
const ALLOW_MS = 1000;

function pluginWith(answer: (review: Review) => unknown, defaultAllow = false) {
  const reviews: Review[] = [];
  const clock = { now: 0 };
  const plugin = imagePolicyWebhook({
    allowTtlMs: ALLOW_MS,
    denyTtlMs: 0,
    defaultAllow,
    now: () => clock.now,
    review: async (body) => {
      const review = JSON.parse(body) as Review;
      reviews.push(review);
      return answer(review);
    },
  });
  return { plugin, reviews, clock };
}
const verdict = (allowed: boolean, more: object = {}) => ({ status: { allowed, ...more } });

test("every image is shown, with the annotations meant for it; a yes is remembered", async () => {
  const { plugin, reviews, clock } = pluginWith(() => verdict(true));
  const pod = podOf([{ image: "a" }], { initContainers: [{ name: "i", image: "b" }] });
  const annotations = { "x.image-policy.k8s.io/t": "1", other: "2" };
  const object = { ...pod, metadata: { ...pod.metadata, annotations } };
  for (let i = 0; i < 3; i++) assert.equal((await run(plugin, { object })).message, "");
  assert.deepEqual(reviews as unknown, [
    {
      kind: "ImageReview",
      apiVersion: "imagepolicy.k8s.io/v1alpha1",
      metadata: {},
      spec: {
        containers: [{ image: "a" }, { image: "b" }],
        annotations: { "x.image-policy.k8s.io/t": "1" },
        namespace: "ns",
      },
      status: { allowed: false },
    },
  ]);
  clock.now += ALLOW_MS;
  await run(plugin, { object });
  assert.equal(reviews.length, 2);
});

test("a no is told, with its reason, and asked again", async () => {
  const { plugin, reviews } = pluginWith(() =>
    verdict(false, { reason: "old image", auditAnnotations: { k: "v" } }),
  );
  const { message, annotations } = await run(plugin, { object: podOf([{}]) });
  assert.equal(
    message,
    'pods "p" is forbidden: image policy webhook backend denied one or more images: old image',
  );
  assert.deepEqual(annotations, { "imagepolicywebhook.image-policy.k8s.io/k": "v" });
  await run(plugin, { object: podOf([{}]) });
  assert.equal(reviews.length, 2);
  const { plugin: silent } = pluginWith(() => ({}));
  assert.equal(
    (await run(silent, { object: podOf([{}]) })).message,
    'pods "p" is forbidden: one or more images rejected by webhook backend',
  );
});

test("ephemeral containers are shown too", async () => {
  const { plugin, reviews } = pluginWith(() => verdict(true));
  const object = podOf([{}], { ephemeralContainers: [{ name: "e", image: "debug" }] });
  await run(plugin, { operation: "UPDATE", subresource: "ephemeralcontainers", object });
  assert.deepEqual(reviews[0]?.spec.containers, [{ image: "debug" }]);
});

test("without a backend: no, or what the configuration says", async () => {
  const fail = () => {
    throw new Error("connection refused");
  };
  const { plugin } = pluginWith(fail);
  assert.equal(
    (await run(plugin, { object: podOf([{}]) })).message,
    'pods "p" is forbidden: connection refused',
  );
  const { plugin: open } = pluginWith(fail, true);
  const { message, annotations } = await run(open, { object: podOf([{}]) });
  assert.equal(message, "");
  assert.deepEqual(annotations, { "imagepolicywebhook.image-policy.k8s.io/failed-open": "true" });
});

test("over HTTP, with a retry", async () => {
  let calls = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString("utf8");
    });
    request.on("end", () => {
      calls++;
      if (calls === 1) {
        response.writeHead(500).end();
        return;
      }
      const { spec } = JSON.parse(body) as Review;
      const allowed = spec.containers.every(({ image }) => image.startsWith("good/"));
      response.end(JSON.stringify(verdict(allowed)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connection = {
    server: `http://127.0.0.1:${port}/review`,
    authorities: undefined,
    insecure: false,
    serverName: undefined,
    certificate: undefined,
    key: undefined,
    authorization: undefined,
  };
  const client = new WebhookClient(connection, { timeoutMs: 5000, retry: retriesFrom(1) });
  const plugin = imagePolicyWebhook({
    allowTtlMs: 1000,
    denyTtlMs: 1000,
    defaultAllow: false,
    review: (body) => client.post(body),
  });
  try {
    assert.equal((await run(plugin, { object: podOf([{ image: "good/x" }]) })).message, "");
    assert.equal(calls, 2);
    assert.match((await run(plugin, { object: podOf([{ image: "x" }]) })).message, /rejected/);
  } finally {
    client.close();
    server.close();
  }
});
