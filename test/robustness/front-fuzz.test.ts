/**
 * Bytes of every kind against both fronts: each connection ends or is answered, and the front
 * serves on. `FUZZ_SECONDS` makes it longer; a failure prints its seed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import fc from "fast-check";
import { loadUws } from "../../src/native/uws.ts";
import { defaultLimits, type Front, type Serve, type TlsMaterial } from "../../src/server/front.ts";
import { NodeFront } from "../../src/server/front-node.ts";
import { createUwsFront } from "../../src/server/front-uws.ts";
import { issue } from "../../src/server/pki/certificate.ts";

const seconds = Number(process.env["FUZZ_SECONDS"] ?? "3");
const tls: TlsMaterial = {
  ...issue({ subject: { commonName: "s" }, usage: "server", days: 1 }),
  clientAuthorities: undefined,
  sni: [],
  minVersion: "TLSv1.2",
  cipherSuites: undefined,
};

const method = fc.constantFrom(
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "get",
  "X",
  "",
);
const path = fc.oneof(
  fc.constantFrom(
    "/",
    "/api/v1/pods?watch=1",
    "/api/v1/namespaces/../x",
    "/%",
    "//",
    "*",
    "http://h/",
    "",
  ),
  fc.webPath(),
  fc.string({ maxLength: 200 }).map((text) => `/${text}`),
);
const header = fc.oneof(
  fc.constantFrom(
    "Host: x",
    "Content-Length: 3",
    "Content-Length: 5",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Connection: close",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Upgrade: SPDY/3.1",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Expect: 100-continue",
    " folded",
    ": empty",
    "No-Colon",
    "Audit-ID: \u0000x",
  ),
  fc
    .tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 100 }))
    .map((pair) => pair.join(": ")),
);
const request = fc
  .record({
    method,
    path,
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.1 ", ""),
    headers: fc.array(header, { maxLength: 8 }),
    end: fc.constantFrom("\r\n\r\n", "\n\n", "\r\n", ""),
    body: fc.oneof(
      fc.constantFrom("", "abc", "3\r\nabc\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "0\r\n\r\n"),
      fc.string({ maxLength: 300 }),
    ),
  })
  .map(({ method, path, version, headers, end, body }) => {
    return Buffer.from(`${method} ${path} ${version}\r\n${headers.join("\r\n")}${end}${body}`);
  });
const traffic = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(request, { minLength: 1, maxLength: 3 }).map((all) => Buffer.concat(all)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
);

/** Sends the bytes and hangs up a moment later, whatever has come back. */
function send(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      socket.write(bytes);
      setTimeout(() => socket.destroy(), 15);
    });
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("close", () => resolve());
  });
}

const serve: Serve = async (received) => {
  if (received.info.verb === "watch") {
    const callbacks = { frames: () => [], onReadable: () => {}, close: () => {} };
    const shape = { status: 200, headers: [], nativeId: undefined, text: true, timeoutMs: 50 };
    return { kind: "watch", ...shape, ...callbacks };
  }
  const body = await received.body(1_000);
  return { kind: "bytes", status: 200, headers: [], body: `${body.length} ${received.info.verb}` };
};

async function fuzz(front: Front): Promise<void> {
  const limits = { ...defaultLimits, requestTimeoutMs: 500 };
  const port = await front.listen({ host: "127.0.0.1", port: 0, tls, limits });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(traffic, { minLength: 1, maxLength: 8 }), async (connections) => {
        await Promise.all(connections.map((bytes) => send(port, bytes)));
      }),
      {
        interruptAfterTimeLimit: seconds * 1000,
        numRuns: 1_000_000,
        markInterruptAsFailure: false,
      },
    );
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
      socket.write("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
      socket.once("data", (data) => {
        resolve(String(data));
        socket.destroy();
      });
      socket.once("error", reject);
    });
    assert.match(answer, /^HTTP\/1.1 200 OK/, "it serves on");
    const deadline = Date.now() + 5_000;
    while (front.openRequests > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(front.openRequests, 0, "nothing is left of requests whose clients are gone");
  } finally {
    await front.close(100);
  }
}

const options = { timeout: seconds * 1000 + 30_000 };
test("node: no bytes bring it down", options, () => fuzz(new NodeFront({ serve })));

let uwsMissing: string | false = false;
try {
  loadUws();
} catch (error) {
  uwsMissing = `uWebSockets.js does not load here: ${String(error)}`;
}
test("uws: no bytes bring it down", { ...options, skip: uwsMissing }, async () => {
  await fuzz(await createUwsFront({ serve }));
});
