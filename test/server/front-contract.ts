/** What every Front promises, run against each implementation. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import WebSocket from "ws";
import { StatusError } from "../../src/apimachinery/api/errors.ts";
import type { ReceivedRequest, Response } from "../../src/request/request.ts";
import { defaultLimits, type Front, type Serve, type TlsMaterial } from "../../src/server/front.ts";
import { issue } from "../../src/server/pki/certificate.ts";

/** Without the spaces that may stand between events, never an empty line. */
const eventsOf = (body: Buffer) => body.toString().replaceAll(/(?<=^|\n) | $/g, "");

const authority = issue({ subject: { commonName: "test-ca" }, usage: "authority", days: 1 });
const serving = () =>
  issue(
    { subject: { commonName: "server" }, usage: "server", names: ["localhost"], days: 1 },
    authority,
  );
const clientSubject = { commonName: "alice", organizations: ["devs"] };
const aliceRequest = { subject: clientSubject, usage: "client", days: 1 } as const;
const client = issue(aliceRequest, authority);
const intermediate = issue(
  { subject: { commonName: "i" }, usage: "authority", days: 1 },
  authority,
);
const named = issue(
  { subject: { commonName: "named" }, usage: "server", names: ["sni.example"], days: 1 },
  authority,
);
const material = (): TlsMaterial => ({
  ...serving(),
  clientAuthorities: authority.certificate,
  sni: [{ ...named, names: ["sni.example"] }],
  minVersion: "TLSv1.2",
  cipherSuites: undefined,
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
  readonly certificate?: boolean | { readonly certificate: string; readonly key: string };
  readonly tls?: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly servername?: string;
}
function ask(port: number, path: string, options: Ask = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body, certificate = false } = options;
  const { tls = "TLSv1.3", servername = "localhost" } = options;
  const identity = certificate === true ? client : certificate || undefined;
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: "127.0.0.1",
      servername,
      minVersion: "TLSv1.2",
      maxVersion: tls,
      port,
      path,
      method,
      headers,
      ca: authority.certificate,
      agent: false,
      ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
      });
    });
    request.end(body);
  });
}
function raw(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, servername: "localhost", ca: authority.certificate };
    const socket = connect(options, () => resolve(socket));
    socket.on("error", reject);
  });
}
/** Connects twice, the second time with the first one's session: who the server sees. */
async function resume(port: number, maxVersion: Ask["tls"], cert: string, key: string) {
  let session: Buffer | undefined;
  const ca = authority.certificate;
  const options = { host: "127.0.0.1", port, servername: "localhost", ca, cert, key } as const;
  for (const reused of [false, true]) {
    const versions = { minVersion: "TLSv1.2", maxVersion } as const;
    const socket = connect({ ...options, ...versions, ...(session && { session }) });
    socket.on("session", (got) => {
      session ??= got;
    });
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const answer = String(await new Promise((resolve) => socket.once("data", resolve)));
    assert.equal(socket.isSessionReused(), reused);
    socket.destroy();
    const [, body = ""] = answer.split("\r\n\r\n");
    assert.ok(body.replaceAll(/\s/g, "").startsWith(cert.replaceAll(/\s/g, "")));
  }
}
async function rawAnswer(port: number, text: string): Promise<string> {
  const socket = await raw(port);
  socket.write(text);
  let answer = "";
  for await (const chunk of socket) {
    answer += String(chunk);
    if (answer.includes("\r\n\r\n")) break;
  }
  socket.destroy();
  return answer;
}

const bytes = (body: string, status = 200): Response => ({
  kind: "bytes",
  status,
  headers: [["Content-Type", "text/plain"]],
  body,
});

/** Sends `total` bytes whose value is their position, a prime number of them at a time. */
function counting(total: number, byteLength: number | undefined, onClose: () => void): Response {
  let sent = 0;
  return {
    kind: "stream",
    status: 200,
    headers: [["Content-Type", "application/octet-stream"]],
    byteLength,
    read: (target) => {
      const length = Math.min(target.length, 60_013, total - sent);
      for (let i = 0; i < length; i++) target[i] = (sent + i) & 0xff;
      sent += length;
      return sent % 2 === 0 ? Promise.resolve(length) : length;
    },
    close: onClose,
  };
}

/** A watch that gives `count` frames one by one, then ends or waits. */
function ticking(count: number, then: "end" | "wait", onClose: () => void): Response {
  let next = 0;
  let callback = () => {};
  const timer = setInterval(() => {
    callback();
  }, 5);
  return {
    kind: "watch",
    status: 200,
    headers: [["Content-Type", "application/json"]],
    nativeId: undefined,
    text: true,
    timeoutMs: 5_000,
    frames: () => {
      if (next === count) return then === "end" ? "end" : [];
      next += 1;
      return [Buffer.from(`{"n":${next}}\n`)];
    },
    onReadable: (wanted) => {
      callback = wanted;
    },
    close: () => {
      clearInterval(timer);
      onClose();
    },
  };
}

interface Started {
  readonly front: Front;
  readonly port: number;
}

export function frontContract(name: string, create: (serve: Serve) => Promise<Front>): void {
  async function serving_(serve: Serve, use: (started: Started) => Promise<void>): Promise<void> {
    const front = await create(serve);
    const limits = { ...defaultLimits, requestTimeoutMs: 700, bodyBytesMax: 200_000 };
    const port = await front.listen({ host: "127.0.0.1", port: 0, tls: material(), limits });
    try {
      await use({ front, port });
    } finally {
      await front.close(100);
    }
  }
  const it = (title: string, run: () => Promise<void>) =>
    test(`${name}: ${title}`, { timeout: 20_000 }, run);

  it("answers with what every response carries", () =>
    serving_(
      (request) => {
        request.warnings.add('a "quoted" warning\n');
        return bytes(`${request.method} ${request.info.path} ${request.query.get("q")}`);
      },
      async ({ port }) => {
        const answer = await ask(port, "/a%20b?q=1%2B1", { headers: { "Audit-ID": "me" } });
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString(), "GET /a b 1+1");
        assert.equal(answer.headers["audit-id"], "me");
        assert.equal(answer.headers["cache-control"], "no-cache, private");
        assert.equal(answer.headers["content-length"], "12");
        assert.equal(answer.headers["warning"], '299 - "a \\"quoted\\" warning"');
        assert.ok(answer.headers["date"]);
        const other = await ask(port, "/");
        assert.match(String(other.headers["audit-id"]), /^[0-9a-f-]{36}$/);
      },
    ));

  it("answers HEAD with the length and no body", () =>
    serving_(
      () => bytes("12345"),
      async ({ port }) => {
        const socket = await raw(port);
        const again = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
        socket.write(again);
        await new Promise((resolve) => setTimeout(resolve, 100));
        socket.write(again.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        await new Promise((resolve) => setTimeout(resolve, 100));
        const text = String(socket.read());
        socket.destroy();
        assert.equal(text.match(/HTTP\/1.1 200 OK/g)?.length, 2);
        assert.equal(text.match(/Content-Length: 5/gi)?.length, 2);
        assert.ok(!text.includes("12345"));
      },
    ));

  it("repeated headers stay apart", () =>
    serving_(
      (request) => bytes(JSON.stringify(request.headerValues("impersonate-group"))),
      async ({ port }) => {
        const text = "GET / HTTP/1.1\r\nHost: x\r\nImpersonate-Group: a,b\r\nimpersonate-group: c";
        const answer = await rawAnswer(port, `${text}\r\n\r\n`);
        assert.ok(answer.includes('["a,b","c"]'), answer);
      },
    ));

  it("takes a body up to the handler's limit", () =>
    serving_(
      async (request) => bytes(String((await request.body(150_000)).length)),
      async ({ port }) => {
        for (const length of [0, 1, 70_000, 150_000]) {
          const body = new Uint8Array(length);
          const answer = await ask(port, "/", { method: "POST", body });
          assert.equal(answer.body.toString(), String(length));
        }
        const chunked = { "Transfer-Encoding": "chunked" };
        const body = new Uint8Array(150_000);
        const answer = await ask(port, "/", { method: "PATCH", body, headers: chunked });
        assert.equal(answer.body.toString(), "150000");
        const tooLarge = await ask(port, "/", { method: "PUT", body: new Uint8Array(150_001) });
        assert.equal(tooLarge.status, 413);
        assert.equal(JSON.parse(String(tooLarge.body)).reason, "RequestEntityTooLarge");
      },
    ));

  it("answers before a body it does not want has come", () =>
    serving_(
      () => bytes("no", 401),
      async ({ port }) => {
        const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc";
        assert.match(await rawAnswer(port, head), /^HTTP\/1.1 401/);
      },
    ));

  for (const [title, text] of [
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ],
    ["a bad escape", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
  ] as const) {
    it(`refuses ${title}`, () =>
      serving_(
        () => bytes("served"),
        async ({ port }) => {
          const answer = await rawAnswer(port, text);
          assert.match(answer, /^HTTP\/1.1 400/);
          assert.ok(!answer.includes("served"));
        },
      ));
  }
  for (const [title, header, body] of [
    ["two lengths", "Content-Length: 4\r\nContent-Length: 40\r\n", "abcd"],
    ["an encoding like chunked", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"],
    ["two encodings", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"],
    ["an encoding twice", "Transfer-Encoding: chunked\r\n".repeat(2), "0\r\n\r\n"],
  ] as const) {
    it(`reads nothing behind a request with ${title}`, () => {
      let served = 0;
      return serving_(
        () => {
          served++;
          return bytes("served");
        },
        async ({ port }) => {
          const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
          const socket = await raw(port);
          socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${header}\r\n${body}${hidden}`);
          let answer = "";
          socket.on("data", (chunk) => {
            answer += String(chunk);
          });
          await new Promise((resolve) => socket.once("close", resolve));
          assert.match(answer, /^HTTP\/1\.1 (400|501) /);
          assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1);
          assert.equal(served, 0);
        },
      );
    });
  }
  it("refuses long headers", () =>
    serving_(
      () => bytes("served"),
      async ({ port }) => {
        const text = `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(70_000)}\r\n\r\n`;
        assert.match(await rawAnswer(port, text), /^HTTP\/1.1 431/);
      },
    ));

  it("streams under backpressure and closes once", async () => {
    let closed = 0;
    const total = 5_000_000;
    await serving_(
      (request) =>
        counting(total, request.info.path === "/known" ? total : undefined, () => closed++),
      async ({ port }) => {
        for (const path of ["/known", "/chunked"]) {
          const answer = await ask(port, path);
          assert.equal(answer.body.length, total);
          assert.ok(answer.body.every((byte, index) => byte === (index & 0xff)));
          assert.equal(answer.headers["content-length"], path === "/known" ? "5000000" : undefined);
        }
      },
    );
    assert.equal(closed, 2);
  });

  it("closes a stream whose client has left", async () => {
    let closed = 0;
    let signal: AbortSignal | undefined;
    await serving_(
      (request) => {
        signal = request.signal;
        return counting(1e12, undefined, () => closed++);
      },
      async ({ port }) => {
        const socket = await raw(port);
        socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await new Promise((resolve) => socket.once("data", resolve));
        socket.destroy();
        await until(() => closed === 1);
        assert.equal(signal?.aborted, true);
      },
    );
    assert.equal(closed, 1);
  });

  it("writes watch frames as they come and ends in good order", async () => {
    let closed = 0;
    await serving_(
      () => ticking(5, "end", () => closed++),
      async ({ port }) => {
        const answer = await ask(port, "/api/v1/pods?watch=1");
        assert.equal(eventsOf(answer.body), '{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n{"n":5}\n');
      },
    );
    assert.equal(closed, 1);
  });

  // With the CRLF of its chunk: strict clients take an event only then.
  it("sends the head and the first events of a watch at once", () =>
    serving_(
      () => ticking(1, "wait", () => {}),
      async ({ port }) => {
        const socket = await raw(port);
        socket.write("GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        let text = "";
        socket.on("data", (chunk) => {
          text += String(chunk);
        });
        await until(
          () => text.includes("\r\n\r\n") && text.includes('{"n":1}\n\r\n'),
          () => text,
        );
        socket.destroy();
      },
    ));

  it("closes the watch of a client that left", async () => {
    let closed = 0;
    await serving_(
      () => ticking(1, "wait", () => closed++),
      async ({ port, front }) => {
        const socket = await raw(port);
        socket.write("GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        await new Promise((resolve) => socket.once("data", resolve));
        assert.equal(front.openRequests, 1);
        socket.destroy();
        await until(() => closed === 1 && front.openRequests === 0);
      },
    );
    assert.equal(closed, 1);
  });

  it("serves a watch over WebSocket", async () => {
    let closed = 0;
    await serving_(
      () => ticking(3, "end", () => closed++),
      async ({ port }) => {
        const url = `wss://127.0.0.1:${port}/api/v1/pods?watch=1`;
        const socket = new WebSocket(url, { rejectUnauthorized: false });
        const messages: string[] = [];
        socket.on("message", (data, isBinary) => {
          messages.push(`${isBinary ? "binary" : "text"} ${String(data).trim()}`);
        });
        const code = await new Promise((resolve, reject) => {
          socket.on("close", resolve);
          socket.on("error", reject);
        });
        assert.equal(code, 1000);
        assert.deepEqual(messages, ['text {"n":1}', 'text {"n":2}', 'text {"n":3}']);
      },
    );
    assert.equal(closed, 1);
  });

  it("answers an upgrade it does not serve", () =>
    serving_(
      () => bytes("forbidden", 403),
      async ({ port }) => {
        const url = `wss://127.0.0.1:${port}/api/v1/pods?watch=1`;
        const socket = new WebSocket(url, { rejectUnauthorized: false });
        const error = await new Promise<Error>((resolve) => socket.on("error", resolve));
        assert.match(error.message, /403/);
      },
    ));

  it("gives an upgrade up that the client did not ask for", async () => {
    let abandoned = 0;
    const upgrade: Response = {
      kind: "upgrade",
      headers: [],
      protocol: undefined,
      accept: () => assert.fail("nothing to hand over"),
      abandon: () => {
        abandoned++;
      },
    };
    await serving_(
      () => upgrade,
      // uWebSockets.js hands over no connections at all, which is 501.
      async ({ port }) => assert.ok([400, 501].includes((await ask(port, "/")).status)),
    );
    assert.equal(abandoned, 1);
  });

  it("gives the client's certificate, the same connection object each time", () => {
    const seen = new Set<ReceivedRequest["connection"]>();
    return serving_(
      (request) => {
        seen.add(request.connection);
        const { certificate, remoteAddress } = request.connection;
        assert.match(remoteAddress, /^127\.0\.0\.1/);
        if (certificate === undefined) return bytes("none");
        return bytes(new X509Certificate(certificate).subject);
      },
      async ({ port }) => {
        assert.equal((await ask(port, "/")).body.toString(), "none");
        const answer = await ask(port, "/", { certificate: true });
        assert.equal(answer.body.toString(), "O=devs\nCN=alice");
        seen.clear();
        const socket = await raw(port);
        for (let i = 0; i < 3; i++) {
          socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
          await new Promise((resolve) => socket.once("data", resolve));
        }
        socket.destroy();
        assert.equal(seen.size, 1);
      },
    );
  });

  it("takes any certificate, with what is sent along, for authentication to judge", () => {
    const chained = issue(aliceRequest, intermediate);
    const chain = chained.certificate + intermediate.certificate;
    const stranger = issue(aliceRequest);
    const old = issue({ ...aliceRequest, days: -1 }, authority);
    const kinds = [{ ...chained, certificate: chain }, stranger, old, client];
    const plain = (pem: string) => pem.replaceAll(/\s/g, "");
    return serving_(
      ({ connection }) => bytes(connection.certificate ?? "none"),
      async ({ port }) => {
        for (const tls of ["TLSv1.2", "TLSv1.3"] as const) {
          for (const servername of ["localhost", "sni.example"]) {
            for (const certificate of kinds) {
              const answer = await ask(port, "/", { certificate, tls, servername });
              // A client of OpenSSL may add the authority it knows.
              assert.ok(plain(answer.body.toString()).startsWith(plain(certificate.certificate)));
            }
            const without = await ask(port, "/", { tls, servername });
            assert.equal(without.body.toString(), "none");
          }
        }
      },
    );
  });

  it("knows the certificates of a resumed session", () =>
    serving_(
      ({ connection }) => bytes(connection.certificate ?? "none"),
      async ({ port }) => {
        const { certificate, key } = issue(aliceRequest, intermediate);
        for (const tls of ["TLSv1.2", "TLSv1.3"] as const) {
          await resume(port, tls, client.certificate, client.key);
          await resume(port, tls, certificate + intermediate.certificate, key);
        }
      },
    ));

  it("turns what a handler throws into a Status", () =>
    serving_(
      (request) => {
        if (request.info.path === "/known") throw new StatusError("Conflict", "no");
        if (request.info.path === "/late") return Promise.reject(new Error("bug"));
        throw new Error("bug");
      },
      async ({ port }) => {
        const known = await ask(port, "/known");
        assert.equal(known.status, 409);
        for (const path of ["/late", "/now"]) {
          const unknown = await ask(port, path);
          assert.equal(unknown.status, 500);
          assert.equal(JSON.parse(String(unknown.body)).message, "Internal error occurred: bug");
        }
      },
    ));

  it("answers 504 when time is up and aborts the handler", () => {
    let signal: AbortSignal | undefined;
    return serving_(
      (request) => {
        signal = request.signal;
        return new Promise((resolve) => setTimeout(resolve, 1_500, bytes("late")).unref());
      },
      async ({ port }) => {
        const started = performance.now();
        const answer = await ask(port, "/api/v1/pods?timeout=200ms");
        assert.equal(answer.status, 504);
        assert.ok(performance.now() - started < 650);
        assert.equal(JSON.parse(String(answer.body)).reason, "Timeout");
        assert.equal(signal?.aborted, true);
        const bad = await ask(port, "/api/v1/pods?timeout=soon");
        assert.equal(bad.status, 400);
      },
    );
  });

  it("finishes requests and ends watches when it closes", async () => {
    let closed = 0;
    const front = await create((request) => {
      if (request.info.verb === "watch") return ticking(1, "wait", () => closed++);
      return new Promise((resolve) => setTimeout(resolve, 300, bytes("done")));
    });
    const port = await front.listen({
      host: "127.0.0.1",
      port: 0,
      tls: material(),
      limits: defaultLimits,
    });
    const slow = ask(port, "/slow");
    const watch = ask(port, "/api/v1/pods?watch=1");
    await until(() => front.openRequests === 2);
    await front.close(3_000);
    assert.equal((await slow).body.toString(), "done");
    assert.equal(eventsOf((await watch).body), '{"n":1}\n');
    assert.equal(closed, 1);
    await assert.rejects(ask(port, "/"));
  });

  it("serves new certificates to new connections and keeps old ones", () =>
    serving_(
      () => bytes("ok"),
      async ({ front, port }) => {
        const old = await raw(port);
        const serial = old.getPeerX509Certificate()?.serialNumber;
        await front.reloadCertificates(material());
        const fresh = await raw(port);
        assert.notEqual(fresh.getPeerX509Certificate()?.serialNumber, serial);
        for (const socket of [old, fresh]) {
          socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
          assert.match(String(await new Promise((resolve) => socket.once("data", resolve))), /200/);
          socket.destroy();
        }
      },
    ));

  it("loses no connection while certificates rotate under load", () =>
    serving_(
      () => bytes("ok"),
      async ({ front, port }) => {
        let rotating = true;
        let answered = 0;
        const client = async () => {
          while (rotating) {
            assert.equal((await ask(port, "/")).status, 200);
            answered += 1;
          }
        };
        const clients = Array.from({ length: 6 }, client);
        for (let rotation = 0; rotation < 8; rotation++) {
          await front.reloadCertificates(material());
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
        rotating = false;
        await Promise.all(clients);
        assert.ok(answered > 8, String(answered));
      },
    ));

  test(`${name}: cuts off a client that trickles its headers`, { timeout: 40_000 }, async () => {
    const front = await create(() => bytes("served"));
    const limits = { ...defaultLimits, idleTimeoutMs: 8_000 };
    const port = await front.listen({ host: "127.0.0.1", port: 0, tls: material(), limits });
    const socket = await raw(port);
    socket.on("error", () => {});
    socket.resume();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nX: ");
    const trickle = setInterval(() => socket.write("y"), 400);
    const started = performance.now();
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(trickle);
    assert.ok(performance.now() - started < 25_000);
    await front.close(100);
  });
}

async function until(condition: () => boolean, state = () => ""): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`did not happen within 5 s: ${state()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
