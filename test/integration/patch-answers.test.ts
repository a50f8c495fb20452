// Patches and updates out of the ordinary, with what kube-apiserver v1.36 answered in this order.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { ServerProcess } from "./server-process.ts";

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  /** Text: it has integers that no double holds. */
  readonly body: string;
  readonly code: number;
  readonly message?: string;
}

interface Recording {
  readonly setup: readonly { readonly path: string; readonly body: unknown }[];
  readonly requests: readonly Recorded[];
}

const timeout = 60_000;
const file = new URL("../fixtures/patch-answers/requests.json", import.meta.url);
const recording = JSON.parse(readFileSync(file, "utf8")) as Recording;
let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
});
after(() => server.stop());

function ask(method: string, path: string, type: string, body: string) {
  const headers = { "Content-Type": type, "User-Agent": "tester" };
  return server.ask(path, { ...server.admin, method, headers }, body);
}

/** What differs from one run to another inside the objects that messages print. */
function masked(message: string): string {
  return message.replace(
    /(\\"(?:uid|resourceVersion|creationTimestamp|time)\\":\\")[^"\\]*/g,
    "$1*",
  );
}

test("codes and messages are upstream's", { timeout }, async () => {
  const json = "application/json";
  const namespace = { metadata: { name: "recorded" } };
  const setup = [{ path: "/api/v1/namespaces", body: namespace }, ...recording.setup];
  for (const { path, body } of setup) {
    const { status } = await ask("POST", path, json, JSON.stringify(body));
    assert.equal(status, 201, path);
  }
  for (const { method, path, type, body, code, message } of recording.requests) {
    const answer = await ask(method, path, type, body);
    const what = `${method} ${path} ${type} ${body}: ${answer.body}`;
    assert.equal(answer.status, code, what);
    if (message !== undefined) assert.equal(masked(JSON.parse(answer.body).message), message, what);
  }
});

test("owners of a new object know nothing of what clients may not set", { timeout }, async () => {
  const metadata = { name: "wiped", deletionTimestamp: "2030-01-01T00:00:00Z", uid: "x" };
  const object = { metadata, spec: { finalizers: ["a.b/c"] } };
  const { status, body } = await ask(
    "POST",
    "/api/v1/namespaces",
    "application/json",
    JSON.stringify(object),
  );
  assert.equal(status, 201);
  const made = JSON.parse(body);
  assert.equal(made.metadata.deletionTimestamp, undefined);
  assert.notEqual(made.metadata.uid, "x");
  const [entry] = made.metadata.managedFields;
  assert.deepEqual(Object.keys(entry.fieldsV1["f:metadata"]), ["f:labels"]);
  assert.deepEqual(entry.fieldsV1["f:spec"], { "f:finalizers": {} });
});
