import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import { createEtcdBackend } from "../../../src/storage/etcd3/backend.ts";
import { asRevision } from "../../../src/storage/interfaces.ts";

/** Takes connections and says nothing, as a host behind a firewall that drops packets. */
let silent: Server;
let endpoints: readonly string[];
before(async () => {
  silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  endpoints = [`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`];
});
after(() => silent.close());

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error("too late")), milliseconds).unref();
  });
  return Promise.race([work, late]);
}

test("a call ends with its signal while there is no connection", async () => {
  const backend = createEtcdBackend({ endpoints });
  const stop = new AbortController();
  const call = backend.currentRevision(stop.signal);
  setTimeout(() => stop.abort(), 50);
  await within(1000, assert.rejects(call));
  await backend.close();
});

test("a watch ends with its signal while there is no connection", async () => {
  const backend = createEtcdBackend({ endpoints });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  const follow = async () => {
    for await (const message of backend.watch("/registry/", asRevision(1), stop.signal)) {
      assert.fail(message.kind);
    }
  };
  await within(1000, follow());
  await backend.close();
});

test("closing ends what waits, be it for an answer or for the next try", async () => {
  const backend = createEtcdBackend({ endpoints: ["http://127.0.0.1:1", ...endpoints] });
  const call = backend.range({ start: "a", end: "b" });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await backend.close();
  await within(500, assert.rejects(call));
});
