import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReceivedRequest, Response } from "../../src/request/request.ts";
import { withFilters } from "../../src/server/filters.ts";
import { request } from "./requests.ts";

const off = { hsts: [], corsOrigins: [], turnsAway: () => false };
const ok: Response = { kind: "bytes", status: 200, headers: [["A", "b"]], body: "ok" };
const answer = async (one: ReceivedRequest, config: Partial<typeof off>, response: Response = ok) =>
  withFilters(() => response, { ...off, ...config })(one);
const headersOf = ({ headers }: Response) => Object.fromEntries(headers);

test("nothing is added when nothing is switched on", async () => {
  assert.equal(await answer(request("GET", "/"), {}), ok);
});
test("HSTS is on every response, on streams of classes too", async () => {
  class Stream {
    readonly kind = "stream" as const;
    readonly status = 200;
    readonly headers = [] as const;
    readonly byteLength = undefined;
    #closed = 0;
    read(): number {
      return this.#closed;
    }
    close(): void {
      this.#closed++;
    }
  }
  const response = await answer(
    request("GET", "/"),
    { hsts: ["max-age=1", "preload"] as never[] },
    new Stream() as Response,
  );
  assert.equal(headersOf(response)["Strict-Transport-Security"], "max-age=1; preload");
  assert.ok(response.kind === "stream");
  response.close();
  assert.equal(response.read(new Uint8Array(1)), 1);
});
test("a connection to hand over keeps all its ways to be taken", async () => {
  const called: string[] = [];
  const response = await answer(
    request("GET", "/"),
    { hsts: ["max-age=1"] as never[] },
    {
      ...{ kind: "upgrade", headers: [], protocol: "v5" },
      accept: () => called.push("accept"),
      acceptMessages: () => called.push("acceptMessages"),
      abandon: () => called.push("abandon"),
    },
  );
  assert.ok(response.kind === "upgrade");
  assert.equal(headersOf(response)["Strict-Transport-Security"], "max-age=1");
  response.accept({} as never);
  response.acceptMessages?.({} as never);
  response.abandon?.();
  assert.deepEqual(called, ["accept", "acceptMessages", "abandon"]);
});
test("CORS answers preflights and marks responses of matching origins only", async () => {
  const config = { corsOrigins: ["^https://ok\\.example$"] as never[] };
  const from = (origin: string, method = "GET") => request(method, "/", { origin });
  const preflight = await answer(from("https://ok.example", "OPTIONS"), config);
  assert.ok(preflight.kind === "bytes" && preflight.status === 204);
  assert.equal(headersOf(preflight)["Access-Control-Allow-Origin"], "https://ok.example");
  const plain = await answer(from("https://ok.example"), config);
  assert.equal(headersOf(plain)["Access-Control-Allow-Credentials"], "true");
  assert.equal(await answer(from("https://not-ok.example"), config), ok);
  assert.equal(await answer(request("OPTIONS", "/"), config), ok);
});
test("a server that goes turns away all but probes and itself", async () => {
  const config = { turnsAway: () => true };
  const away = await answer(request("GET", "/api/v1/pods"), config);
  assert.ok(away.kind === "bytes" && away.status === 429);
  assert.equal(headersOf(away)["Retry-After"], "5");
  assert.equal(await answer(request("GET", "/readyz"), config), ok);
  const own = { "user-agent": "kube-apiserver/v1.36.2" };
  assert.equal(await answer(request("GET", "/api/v1/pods", own), config), ok);
});
