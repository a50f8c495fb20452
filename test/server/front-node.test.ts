import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import { defaultLimits } from "../../src/server/front.ts";
import { NodeFront } from "../../src/server/front-node.ts";
import { issue } from "../../src/server/pki/certificate.ts";
import { frontContract } from "./front-contract.ts";

frontContract("node", async (serve) => new NodeFront({ serve }));

test("node: hands over the raw connection after 101", { timeout: 10_000 }, async () => {
  const pair = issue({ subject: { commonName: "s" }, usage: "server", days: 1 });
  const front = new NodeFront({
    serve: () => ({
      kind: "upgrade",
      headers: [
        ["Upgrade", "SPDY/3.1"],
        ["Connection", "Upgrade"],
      ],
      protocol: undefined,
      accept: (socket) => {
        socket.onData((data) => socket.write(Buffer.from(`echo ${Buffer.from(data)}`)));
      },
    }),
  });
  const tls = {
    ...pair,
    clientAuthorities: undefined,
    sni: [],
    minVersion: "TLSv1.2" as const,
    cipherSuites: undefined,
  };
  const port = await front.listen({ host: "127.0.0.1", port: 0, tls, limits: defaultLimits });
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  socket.write("POST /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
  const head = String(await new Promise((resolve) => socket.once("data", resolve)));
  assert.match(head, /^HTTP\/1.1 101 Switching Protocols\r\n/);
  socket.write("raw");
  assert.equal(String(await new Promise((resolve) => socket.once("data", resolve))), "echo raw");
  socket.destroy();
  await front.close(100);
});
