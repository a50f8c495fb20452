import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ServerProcess } from "./server-process.ts";

const data = mkdtempSync(join(tmpdir(), "klystron-log-"));
let server: ServerProcess;
let kubelet: Server;
let answerKubelet: (asked: IncomingMessage, answer: ServerResponse) => void = () => {};
const asked: string[] = [];
const pods = "/api/v1/namespaces/default/pods";

async function send(method: string, path: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await server.ask(path, { ...server.admin, method, headers }, JSON.stringify(body));
  assert.ok(answer.status < 300, answer.body);
}
async function createPod(name: string, nodeName: string, ...containers: string[]): Promise<void> {
  const image = "registry.example/x";
  await send("POST", pods, {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name } },
    spec: {
      ...(nodeName === "" ? {} : { nodeName }),
      automountServiceAccountToken: false,
      initContainers: [{ name: "init", image }],
      containers: containers.map((one) => ({ name: one, image })),
    },
  });
}
async function createNode(name: string, status: object): Promise<void> {
  const node = { apiVersion: "v1", kind: "Node", metadata: { name } };
  await send("POST", "/api/v1/nodes", node);
  await send("PUT", `/api/v1/nodes/${name}/status`, { ...node, status });
}
const log = (pod: string, query = "") => server.ask(`${pods}/${pod}/log${query}`, server.admin);

before(async () => {
  const pki = (file: string) => join(data, "pki", file);
  server = await ServerProcess.start(
    `--data-dir=${data}`,
    `--kubelet-certificate-authority=${pki("ca.crt")}`,
    `--kubelet-client-certificate=${pki("admin.crt")}`,
    `--kubelet-client-key=${pki("admin.key")}`,
    "--kubelet-preferred-address-types=InternalIP,Hostname",
  );
  server.file = (name) => readFileSync(join(data, name), "utf8");
  const tls = { cert: server.file("pki/apiserver.crt"), key: server.file("pki/apiserver.key") };
  const asksWho = { ca: server.file("pki/ca.crt"), requestCert: true, rejectUnauthorized: true };
  kubelet = createServer({ ...tls, ...asksWho }, (message, answer) => {
    asked.push(message.url ?? "");
    answerKubelet(message, answer);
  });
  await new Promise<void>((resolve) => kubelet.listen(0, "127.0.0.1", resolve));
  const { port } = kubelet.address() as AddressInfo;
  await createNode("node-a", {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  });
  await createNode("nowhere", {});
  await createPod("one", "node-a", "main");
  await createPod("two", "node-a", "main", "side");
  await createPod("pending", "", "main");
  await createPod("lost", "gone", "main");
  await createPod("stuck", "nowhere", "main");
});
after(async () => {
  kubelet?.close();
  kubelet?.closeAllConnections();
  await server?.stop();
  rmSync(data, { recursive: true, force: true });
});

const cases: readonly (readonly [string, string, number, string])[] = [
  ["none", "", 404, 'pods "none" not found'],
  ["pending", "", 204, ""],
  ["one", "?container=x", 400, "container x is not valid for pod one"],
  [
    "two",
    "",
    400,
    "a container name must be specified for pod two, choose one of: [init main side]",
  ],
  ["lost", "", 404, 'pods "gone" not found'],
  ["stuck", "", 500, "no preferred addresses found; known addresses: []"],
  ["none", "?tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
  [
    "none",
    "?tailLines=-1",
    422,
    'PodLogOptions "none" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    "none",
    "?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z&limitBytes=0&stream=All",
    422,
    'PodLogOptions "none" is invalid: [limitBytes: Invalid value: 0: must be greater than 0, : Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified, stream: Forbidden: may not be specified]',
  ],
];
for (const [pod, query, status, message] of cases) {
  test(`log of ${pod}${query} is answered with ${status}`, async () => {
    const answer = await log(pod, query);
    assert.equal(answer.status, status, answer.body);
    const found =
      answer.body === "" ? "" : (JSON.parse(answer.body) as { message: string }).message;
    assert.equal(found, message);
  });
}

test("the kubelet's lines come as they are", async () => {
  answerKubelet = (_asked, answer) => answer.end("line 1\nline 2\n");
  const answer = await log("one", "?tailLines=2&follow=true&timestamps=true&sinceSeconds=9");
  assert.deepEqual(answer, { status: 200, body: "line 1\nline 2\n" });
  assert.equal(
    asked.at(-1),
    "/containerLogs/default/one/main?follow=true&sinceSeconds=9&tailLines=2&timestamps=true",
  );
});

test("a log that is followed arrives line by line and ends with its client", async () => {
  let ended = () => {};
  const kubeletSawEnd = new Promise<void>((resolve) => {
    ended = resolve;
  });
  answerKubelet = (_asked, answer) => {
    answer.write("first\n");
    answer.on("close", ended);
  };
  await new Promise<void>((resolve, reject) => {
    const options = { host: "127.0.0.1", port: server.port, rejectUnauthorized: false };
    const path = `${pods}/one/log?follow=true`;
    const asking = request({ ...options, ...server.admin, path }, (response) => {
      assert.equal(response.headers["content-type"], "text/plain");
      response.once("data", (chunk) => {
        assert.equal(String(chunk), "first\n");
        asking.destroy();
        resolve();
      });
    });
    asking.on("error", reject);
    asking.end();
  });
  await kubeletSawEnd;
});

test("a log longer than any buffer passes through whole", async () => {
  const megabytes = 24;
  answerKubelet = (_asked, answer) => {
    const piece = Buffer.alloc(1024 * 1024, "x");
    const write = (left: number): void => {
      if (left === 0) answer.end();
      else if (answer.write(piece)) write(left - 1);
      else answer.once("drain", () => write(left - 1));
    };
    write(megabytes);
  };
  const answer = await log("one");
  assert.equal(answer.body.length, megabytes * 1024 * 1024);
});

test("what the kubelet refuses comes as a Status", async () => {
  const refused = async (code: number, text: string) => {
    answerKubelet = (_asked, answer) => {
      answer.writeHead(code);
      answer.end(text);
    };
    const { status, body } = await log("one");
    const { message, reason } = JSON.parse(body) as { message: string; reason: string };
    return [status, reason, message];
  };
  assert.deepEqual(await refused(404, "gone"), [
    404,
    "NotFound",
    "the server could not find the requested resource ( pods/log one)",
  ]);
  assert.deepEqual(await refused(400, "no such container\n"), [
    400,
    "BadRequest",
    "no such container\n",
  ]);
  assert.deepEqual((await refused(500, "boom")).slice(0, 2), [500, "InternalError"]);
  assert.deepEqual((await refused(302, "")).slice(0, 2), [500, undefined]);
});

test("a kubelet that is not there is an error with its address", async () => {
  kubelet.close();
  kubelet.closeAllConnections();
  const { status, body } = await log("one");
  assert.equal(status, 500);
  assert.match(body, /Get \\"https:\/\/127\.0\.0\.1:\d+\/containerLogs\/default\/one\/main\\"/);
});
