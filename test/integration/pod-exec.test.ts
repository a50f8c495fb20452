import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { ServerProcess } from "./server-process.ts";

const pods = "/api/v1/namespaces/default/pods";

for (const front of ["uws", "node"]) {
  describe(`exec through the ${front} front`, () => {
    const data = mkdtempSync(join(tmpdir(), "klystron-exec-"));
    let server: ServerProcess;
    let kubelet: Server;
    let onConnection: (socket: WebSocket) => void = () => {};
    const asked: string[] = [];

    async function send(method: string, path: string, body: object): Promise<void> {
      const headers = { "content-type": "application/json" };
      const options = { ...server.admin, method, headers };
      const answer = await server.ask(path, options, JSON.stringify(body));
      assert.ok(answer.status < 300, answer.body);
    }
    const createPod = (name: string, spec: object) =>
      send("POST", pods, {
        ...{ apiVersion: "v1", kind: "Pod", metadata: { name } },
        spec: {
          ...{ automountServiceAccountToken: false, ...spec },
          containers: [{ name: "main", image: "registry.example/x" }],
        },
      });
    const connect = (path: string, protocols: string[]) =>
      new WebSocket(`wss://127.0.0.1:${server.port}${path}`, protocols, {
        ...{ rejectUnauthorized: false, cert: server.file("pki/admin.crt") },
        key: server.file("pki/admin.key"),
      });

    before(async () => {
      server = await ServerProcess.start(
        `--data-dir=${data}`,
        `--front=${front}`,
        `--kubelet-certificate-authority=${join(data, "pki", "ca.crt")}`,
        "--kubelet-preferred-address-types=InternalIP",
      );
      server.file = (name) => readFileSync(join(data, name), "utf8");
      const tls = { cert: server.file("pki/apiserver.crt"), key: server.file("pki/apiserver.key") };
      kubelet = createServer(tls, (_message, answer) => {
        answer.statusCode = 404;
        answer.end("no such container");
      });
      const sockets = new WebSocketServer({
        noServer: true,
        handleProtocols: (offered) =>
          offered.has("v5.channel.k8s.io") ? "v5.channel.k8s.io" : false,
      });
      kubelet.on("upgrade", (message, socket, head) => {
        asked.push(`${message.url} ${message.headers["sec-websocket-protocol"]}`);
        if (message.url?.includes("spdy")) {
          const offered = String(message.headers["x-stream-protocol-version"]).split(", ");
          const chosen = `X-Stream-Protocol-Version: ${offered[0]}`;
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${chosen}\r\n\r\n`,
          );
          socket.on("data", (bytes: Buffer) => socket.write(`pong ${bytes}`));
          socket.on("error", () => {});
          return;
        }
        if (message.url?.includes("refused")) {
          socket.end(
            "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone",
          );
          return;
        }
        sockets.handleUpgrade(message, socket, head, (client) => onConnection(client));
      });
      await new Promise<void>((resolve) => kubelet.listen(0, "127.0.0.1", resolve));
      const { port: Port } = kubelet.address() as AddressInfo;
      const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node-a" } };
      await send("POST", "/api/v1/nodes", node);
      const addresses = [{ type: "InternalIP", address: "127.0.0.1" }];
      const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port } } };
      await send("PUT", "/api/v1/nodes/node-a/status", { ...node, status });
      await createPod("one", { nodeName: "node-a" });
      await createPod("refused", { nodeName: "node-a" });
      await createPod("pending", {});
    });
    after(async () => {
      kubelet?.close();
      kubelet?.closeAllConnections();
      await server?.stop();
      rmSync(data, { recursive: true, force: true });
    });

    test("messages pass both ways, as they are", { timeout: 20_000 }, async () => {
      onConnection = (client) => {
        client.send(Buffer.from([1, 104, 105]));
        client.on("message", (message: Buffer, isBinary: boolean) => {
          client.send(message, { binary: isBinary });
          if (message.length === 1) client.close(1000);
        });
      };
      const path = `${pods}/one/exec?command=ls&command=-l&stdin=true&stdout=true&stderr=false`;
      const socket = connect(path, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
      const got: string[] = [];
      socket.on("message", (message: Buffer, isBinary: boolean) =>
        got.push(`${isBinary} ${message.length} ${message[0]}`),
      );
      await new Promise((resolve) => socket.once("open", resolve));
      assert.equal(socket.protocol, "v5.channel.k8s.io");
      const big = Buffer.alloc(300_000, 7);
      socket.send(big);
      socket.send("text");
      socket.send(Buffer.from([9]));
      await new Promise((resolve) => socket.once("close", resolve));
      assert.deepEqual(got, ["true 3 1", "true 300000 7", "false 4 116", "true 1 9"]);
      assert.equal(
        asked.at(-1),
        "/exec/default/one/main?command=ls&command=-l&input=1&output=1 v5.channel.k8s.io,v4.channel.k8s.io",
      );
    });

    test("a stream larger than any buffer, and a client that leaves", {
      timeout: 30_000,
    }, async () => {
      const pieces = 400;
      let left = () => {};
      const clientLeft = new Promise<void>((resolve) => {
        left = resolve;
      });
      onConnection = (client) => {
        for (let i = 0; i < pieces; i++) client.send(Buffer.alloc(64 * 1024, i % 251));
        client.once("close", () => left());
      };
      const socket = connect(`${pods}/one/portforward?ports=80&ports=81`, ["v5.channel.k8s.io"]);
      let bytes = 0;
      await new Promise<void>((resolve) => {
        socket.on("message", (message: Buffer) => {
          bytes += message.length;
          if (bytes === pieces * 64 * 1024) resolve();
        });
      });
      assert.match(asked.at(-1) ?? "", /^\/portForward\/default\/one\?port=80%2C81 /);
      socket.terminate();
      await clientLeft;
    });

    test("an upgrade to another protocol is handed over where it can be", async () => {
      const answer = await new Promise<string>((resolve, reject) => {
        const headers = {
          ...{ Connection: "Upgrade", Upgrade: "SPDY/3.1" },
          "X-Stream-Protocol-Version": ["v4.channel.k8s.io", "v3.channel.k8s.io"],
        };
        const path = `${pods}/one/exec?command=spdy`;
        const options = { ...server.admin, method: "POST", headers, path };
        const asking = request(
          { ...options, host: "127.0.0.1", port: server.port, rejectUnauthorized: false },
          (response) => {
            response.resume();
            resolve(String(response.statusCode));
          },
        );
        asking.once("upgrade", (response, socket) => {
          const protocol = response.headers["x-stream-protocol-version"];
          socket.on("error", () => {});
          socket.write("ping");
          socket.once("data", (bytes: Buffer) => {
            resolve(`${response.statusCode} ${protocol} ${bytes}`);
            socket.destroy();
          });
        });
        asking.on("error", reject);
        asking.end();
      });
      assert.equal(answer, front === "node" ? "101 v4.channel.k8s.io pong ping" : "501");
    });

    test("what can not be done is said as a Status", async () => {
      const plain = async (path: string) => {
        const { status, body } = await server.ask(path, server.admin);
        return `${status} ${(JSON.parse(body) as { message: string }).message}`;
      };
      const exec = (pod: string, query = "?command=ls") => plain(`${pods}/${pod}/exec${query}`);
      assert.equal(await exec("none"), '404 pods "none" not found');
      assert.equal(await exec("one", "?container=x"), "400 container x is not valid for pod one");
      assert.equal(await exec("pending"), "400 pod pending does not have a host assigned");
      assert.equal(await exec("one"), "400 Upgrade request required");
      const socket = connect(`${pods}/refused/exec?command=ls`, ["v5.channel.k8s.io"]);
      socket.on("error", () => {});
      const status = await new Promise((resolve) => {
        socket.once("unexpected-response", (_request, answer) => resolve(answer.statusCode));
      });
      assert.equal(status, 404);
    });
  });
}
