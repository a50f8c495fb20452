/** Watches over real sockets: uWS with TLS, the addon's pump, a strict HTTP client. */

import type { us_listen_socket } from "uWebSockets.js";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { EncodingCode, ResourceId, WatchId } from "../../src/native/binding.ts";
import { native } from "../../src/native/binding.ts";
import { closeWatch, endWatch, hasPump, startWatch, watchCount } from "../../src/native/pump.ts";
import { loadUws } from "../../src/native/uws.ts";
import { podConfig, storedPod } from "./helpers.ts";

const PORT = 21100 + (process.pid % 90);
const uws = loadUws();
const opened: WatchId[] = [];
let id: ResourceId;
let listening: us_listen_socket | false;
let secure = false;
let agent: http.Agent;
/** Whether the last request went over a connection that had served another. */
let reused = false;

function certificate(): { key: string; cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "klystron-pump-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=x";
  try {
    execFileSync("openssl", [...args.split(" "), "-keyout", key, "-out", cert], {
      stdio: "ignore",
    });
    return { key, cert };
  } catch {
    return undefined;
  }
}

before(async () => {
  const files = certificate();
  secure = files !== undefined;
  const app =
    files === undefined
      ? uws.App()
      : uws.SSLApp({ key_file_name: files.key, cert_file_name: files.cert });
  agent = secure
    ? new https.Agent({ keepAlive: true, rejectUnauthorized: false })
    : new http.Agent({ keepAlive: true });
  id = native.openResource(podConfig({ maxEvents: 3000 }));
  native.beginFill(id);
  native.fillPut(id, "d/first", 5, storedPod("d/first"));
  native.commitFill(id, 100);
  app.get("/watch/:encoding/:from", (res, req) => {
    const encoding = Number(req.getParameter(0)) as EncodingCode;
    const from = req.getParameter(1) as "now" | "initial";
    const watch = native.watchOpen(id, { from, encoding, bookmarks: true }) as WatchId;
    opened.push(watch);
    res.onAborted(() => closeWatch(watch));
    startWatch(watch, {
      res,
      ssl: secure,
      json: encoding === 0 || encoding === 2,
      headers: [["Content-Type", "application/json"]],
    });
  });
  app.get("/plain", (res) => {
    res.end(String(native.socketKey(res) > 0));
  });
  await new Promise<void>((resolve) => {
    app.listen("127.0.0.1", PORT, (socket) => {
      listening = socket;
      resolve();
    });
  });
  assert.ok(listening, `port ${PORT}`);
  if (files !== undefined) readFileSync(files.cert);
});
after(() => {
  if (listening) uws.us_listen_socket_close(listening);
  agent.destroy();
});

function request(path: string): Promise<http.IncomingMessage> {
  const module = secure ? https : http;
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: PORT, path, agent };
    const sent = module.get(options, (message) => {
      reused = sent.reusedSocket;
      resolve(message);
    });
    sent.on("error", reject);
  });
}
/** Waits until `done` says so of the text received. */
async function receive(message: http.IncomingMessage, done: (text: string) => boolean) {
  let text = "";
  message.setEncoding("latin1");
  message.on("data", (chunk: string) => {
    text += chunk;
  });
  message.resume();
  const until = Date.now() + 8000;
  while (!done(text)) {
    if (Date.now() > until) throw new Error(`timed out with ${text.length}: ${text.slice(0, 300)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return text;
}

test("the pump is there, unless it is off", () => {
  assert.equal(hasPump(), process.env["KLYSTRON_PUMP"] !== "off");
});

test("P1: headers come at once, events without delay, and nothing but events", async () => {
  const message = await request("/watch/0/initial");
  assert.equal(message.statusCode, 200);
  const watch = opened.at(-1) as WatchId;
  const first = await receive(message, (text) => text.includes("BOOKMARK"));
  assert.match(
    first,
    /^ ?\{"type":"ADDED","object":\{"kind":"Pod".*\}\n\{"type":"BOOKMARK".*\}\n$/,
  );
  native.applyPut(id, "d/x", 101, storedPod("d/x"), false);
  await receive(message, (text) => text.endsWith("}\n"));
  endWatch(watch);
  await once(message, "end");
  assert.equal(message.complete, true);
  const next = await request("/plain");
  assert.equal(await receive(next, (text) => text.length > 0), "true");
  assert.equal(reused, !hasPump(), "the pump closes the connection behind a watch");
  assert.equal(watchCount(), 0);
});

test("P2: a slow reader misses nothing, and its memory does not grow", async () => {
  const message = await request("/watch/0/now");
  message.pause();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const note = "n".repeat(20_000);
  let revision = native.revision(id);
  const firstRevision = revision + 1;
  for (let i = 0; i < 1000; i++) {
    native.applyPut(id, "d/slow", ++revision, storedPod("d/slow", { note }), false);
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const text = await receive(
    message,
    (t) => t.includes(`"resourceVersion":"${revision}"`) && t.endsWith("}\n"),
  );
  const seen = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Number(JSON.parse(line).object.metadata.resourceVersion));
  assert.deepEqual(
    seen,
    Array.from({ length: 1000 }, (_, i) => firstRevision + i),
  );
  message.destroy();
});

test("P3: a reader that is lapped gets 410 as an ERROR event and a proper end", async () => {
  const message = await request("/watch/0/now");
  message.pause();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const note = "n".repeat(20_000);
  let revision = native.revision(id);
  for (let i = 0; i < 4000; i++) {
    native.applyPut(id, "d/slow", ++revision, storedPod("d/slow", { note }), false);
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const text = await receive(message, (t) => t.includes('"code":410}}'));
  assert.match(text, /"reason":"Expired","code":410\}\}\n*$/);
  if (!message.complete) await once(message, "end");
  assert.equal(message.complete, true);
});

test("P4: protobuf frames, length-prefixed, ended properly", async () => {
  const message = await request("/watch/1/initial");
  const watch = opened.at(-1) as WatchId;
  const text = await receive(message, (t) => t.includes("BOOKMARK"));
  const bytes = Buffer.from(text, "latin1");
  assert.equal(bytes.readUInt32BE(0) > 50, true);
  assert.equal(bytes.toString("latin1", 4, 11), "\n\x05ADDED");
  endWatch(watch);
  if (!message.complete) await once(message, "end");
  assert.equal(message.complete, true);
});

test("P5: one event reaches many watchers; gone ones are forgotten", async () => {
  const count = 40;
  const messages = await Promise.all(Array.from({ length: count }, () => request("/watch/0/now")));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const revision = native.revision(id) + 1;
  const done = messages.map((m) =>
    receive(m, (t) => t.includes(`"resourceVersion":"${revision}"`)),
  );
  native.applyPut(id, "d/all", revision, storedPod("d/all"), false);
  const texts = await Promise.all(done);
  if (hasPump()) assert.ok(native.pumpStats().events >= count);
  assert.equal(new Set(texts).size, 1);
  for (const message of messages) message.destroy();
  const until = Date.now() + 3000;
  while (watchCount() > 0 && Date.now() < until) await new Promise((r) => setTimeout(r, 5));
  assert.equal(watchCount(), 0);
});
