// Differences of docs/COMPATIBILITY.md that only a whole server shows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { root, ServerProcess } from "./server-process.ts";

const timeout = 60_000;
let server: ServerProcess;
/** Its administrator is nobody to the other one. */
let stranger: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
  stranger = await ServerProcess.start("--front=node");
});
after(() => Promise.all([server.stop(), stranger.stop()]));

test("a certificate of another CA is nobody's, as a bad token is", { timeout }, async () => {
  for (const [one, admin] of [
    [server, stranger.admin],
    [stranger, server.admin],
  ] as const) {
    const { status, body } = await one.ask("/api", admin);
    assert.equal(status, 401);
    assert.equal(JSON.parse(body).reason, "Unauthorized");
  }
  assert.equal((await server.ask("/api", server.admin)).status, 200);
});

test("HTTP/2 is not offered", { timeout }, async () => {
  const options = { ALPNProtocols: ["h2", "http/1.1"], rejectUnauthorized: false };
  const socket = connect({ host: "127.0.0.1", port: server.port, ...options });
  await new Promise((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  assert.notEqual(socket.alpnProtocol, "h2");
  socket.destroy();
});

const page = readFileSync(join(root, "docs", "COMPATIBILITY.md"), "utf8");
const table = /\| path \| reason \|[\s\S]*?\n\n/.exec(page)?.[0] ?? "";

for (const [, resource = "", name = ""] of table.matchAll(/^\| `(\w+)\/(\w+)`/gm)) {
  test(`${resource}/${name} says that it is not implemented`, { timeout }, async () => {
    const scope = resource === "nodes" ? "" : "namespaces/default/";
    const path = `/api/v1/${scope}${resource}/x/${name}`;
    const { status, body } = await server.ask(path, server.admin);
    assert.equal(status, 501, body);
    assert.equal(JSON.parse(body).reason, "NotImplemented");
  });
}
