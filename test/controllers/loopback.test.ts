import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import {
  ApiClient,
  type ApiError,
  type WatchEventObject,
} from "../../src/controllers/api-client.ts";
import { LoopbackPort } from "../../src/controllers/loopback-port.ts";
import type { ReceivedRequest, Response, WatchResponse } from "../../src/request/request.ts";
import type { Serve } from "../../src/server/front.ts";
import { LoopbackFront } from "../../src/server/front-loopback.ts";

const JSON_HEADERS = [["Content-Type", "application/json"]] as const;

function start(t: TestContext, serve: Serve, requestTimeoutMs = 60_000) {
  const { port1, port2 } = new MessageChannel();
  const limits = { bodyBytesMax: 1_000, requestTimeoutMs };
  const front = new LoopbackFront(port1, { serve, limits });
  const port = new LoopbackPort(port2);
  const alive = setInterval(() => {}, 1_000); // the ports keep nothing alive
  t.after(() => {
    clearInterval(alive);
    port.close();
  });
  return { front, port, client: new ApiClient({ port, token: "secret" }, "tester/1") };
}

const bytes = (status: number, body: unknown): Response => ({
  kind: "bytes",
  status,
  headers: JSON_HEADERS,
  body: JSON.stringify(body),
});

test("a request arrives as a client's would, and its answer comes back", async (t) => {
  const seen: ReceivedRequest[] = [];
  let body = "";
  const { client } = start(t, async (request) => {
    seen.push(request);
    body = Buffer.from(await request.body(1_000)).toString();
    return bytes(201, { metadata: { name: "ä" } });
  });
  const object = { metadata: { name: "ä" } };
  assert.deepEqual(await client.create("/api/v1/namespaces?dryRun=All", object), object);
  assert.deepEqual(JSON.parse(body), object);
  const [request] = seen;
  assert.equal(request?.method, "POST");
  assert.equal(request?.info.resource, "namespaces");
  assert.equal(request?.info.verb, "create");
  assert.equal(request?.query.get("dryRun"), "All");
  assert.equal(request?.headers.get("authorization"), "Bearer secret");
  assert.equal(request?.headers.get("content-type"), "application/json");
  assert.equal(request?.headers.get("user-agent"), "tester/1");
  assert.equal(request?.connection.remoteAddress, "127.0.0.1:0");
});

test("failures are told: a status, what serve throws, bodies too large, no answer in time", async (t) => {
  const answers: Record<string, Serve> = {
    "/a": () => bytes(409, { reason: "Conflict", message: "taken" }),
    "/b": () => {
      throw new Error("bug");
    },
    "/c": async (request) => bytes(200, (await request.body(1_000)).length),
    "/d": () => new Promise(() => {}),
  };
  const serve: Serve = (request) => answers[request.info.path]?.(request) ?? bytes(404, {});
  const { client } = start(t, serve, 50);
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => assert.fail("it succeeded"),
      (error: ApiError) => [error.code, error.reason],
    );
  assert.deepEqual(await code(client.raw("/a")), [409, "Conflict"]);
  assert.deepEqual(await code(client.raw("/b")), [500, "InternalError"]);
  const large = { metadata: { name: "x".repeat(2_000) } };
  assert.deepEqual(await code(client.create("/c", large)), [413, "RequestEntityTooLarge"]);
  assert.deepEqual(await code(client.raw("/d")), [504, "Timeout"]);
  assert.equal(await client.find("/e"), undefined);
});

test("a streamed list arrives whole, characters cut in two as well", async (t) => {
  const text = JSON.stringify({ items: [{ metadata: { name: "ä".repeat(100_000) } }] });
  const whole = Buffer.from(text);
  let position = 0;
  let closed = 0;
  const { client } = start(t, () => ({
    kind: "stream",
    status: 200,
    headers: JSON_HEADERS,
    byteLength: whole.length,
    read(target) {
      const length = whole.copy(target, 0, position, position + 777);
      position += length;
      return length;
    },
    close: () => closed++,
  }));
  assert.equal(JSON.stringify(await client.list("/api/v1/pods")), text);
  assert.equal(closed, 1);
});

/** A watch whose frames are handed out one at a time. */
function watchOf(frames: string[], onClose: () => void): WatchResponse & { more(): void } {
  let wake = () => {};
  return {
    kind: "watch",
    status: 200,
    headers: JSON_HEADERS,
    nativeId: undefined,
    frames() {
      const next = frames.shift();
      if (next === "end") return "end";
      return next === undefined ? [] : [Buffer.from(next)];
    },
    onReadable(callback) {
      wake = callback;
    },
    text: true,
    timeoutMs: 60_000,
    close: onClose,
    more: () => wake(),
  };
}

const event = (name: string) =>
  `${JSON.stringify({ type: "ADDED", object: { metadata: { name } } })}\n`;
const nameOf = ({ object }: WatchEventObject) => object.metadata?.name ?? "";
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

test("a watch sends events until it ends, no faster than they are taken", async (t) => {
  const big = "x".repeat(300_000);
  const frames = Array.from({ length: 12 }, (_, i) => event(`${i}-${big}`));
  frames.push("end");
  let closed = 0;
  const watch = watchOf(frames, () => closed++);
  const { client } = start(t, () => watch);
  const names: string[] = [];
  const ended = client.watch(
    "/api/v1/pods?watch=1",
    (one) => names.push(nameOf(one).split("-")[0] ?? ""),
    new AbortController().signal,
  );
  await ended;
  assert.deepEqual(
    names,
    Array.from({ length: 12 }, (_, i) => String(i)),
  );
  assert.equal(closed, 1);
});

test("no more of a watch waits than its bound", async (t) => {
  const frames = Array.from({ length: 50 }, (_, i) => event(`${i}-${"x".repeat(100_000)}`));
  const { port1, port2 } = new MessageChannel();
  const limits = { bodyBytesMax: 1_000, requestTimeoutMs: 1_000 };
  new LoopbackFront(port1, { serve: () => watchOf(frames, () => {}), limits });
  port2.on("message", () => {}); // takes, and never says so
  t.after(() => port2.close());
  port2.postMessage({
    kind: "request",
    id: 1,
    method: "GET",
    target: "/api/v1/pods?watch=1",
    headers: [],
  });
  await settled();
  assert.equal(50 - frames.length, 11);
});

test("a watch ends with its signal, and what served it hears of that", async (t) => {
  let closed = 0;
  const frames = [event("a")];
  const watch = watchOf(frames, () => closed++);
  let request: ReceivedRequest | undefined;
  const { client } = start(t, (received) => {
    request = received;
    return watch;
  });
  const stop = new AbortController();
  const names: string[] = [];
  const ended = client.watch("/api/v1/pods?watch=1", (one) => names.push(nameOf(one)), stop.signal);
  await settled();
  frames.push(event("b"));
  watch.more();
  await settled();
  assert.deepEqual(names, ["a", "b"]);
  stop.abort();
  await ended;
  await settled();
  assert.equal(closed, 1);
  assert.equal(request?.signal.aborted, true);
});

test("a watch that does not start is an error with its code", async (t) => {
  const { client } = start(t, () => bytes(410, { reason: "Expired" }));
  const ended = client.watch("/api/v1/pods?watch=1", () => {}, new AbortController().signal);
  await assert.rejects(ended, (error: ApiError) => error.code === 410);
});

test("when the serving end closes, whoever waits is told, and later callers too", async (t) => {
  const { client, front } = start(t, () => new Promise(() => {}));
  const waiting = [
    client.raw("/a"),
    client.watch("/api/v1/pods?watch=1", () => {}, new AbortController().signal),
  ];
  await settled();
  front.close();
  for (const one of waiting) await assert.rejects(one, /shutting down/);
  await assert.rejects(client.raw("/b"), /shutting down/);
});
