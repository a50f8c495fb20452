import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { issue } from "../../src/server/pki/certificate.ts";
import { freePort, root, ServerProcess } from "./server-process.ts";

const options = { timeout: 60_000 };

function servedSerial(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect(
      { host: "127.0.0.1", port, rejectUnauthorized: false },
      () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}

test("an empty folder becomes a server with PKI and kubeconfig", options, async () => {
  const server = await ServerProcess.start("--write-kubeconfig=copy.yaml");
  try {
    const lines = server.stdout.trim().split("\n");
    assert.equal(lines[0], `Serving securely on 127.0.0.1:${server.port}`);
    assert.equal(lines[1], `kubeconfig: ${join(server.folder, "data", "admin.kubeconfig")}`);
    for (const key of ["pki/ca.key", "pki/apiserver.key", "pki/sa.key", "admin.kubeconfig"]) {
      assert.equal(statSync(join(server.folder, "data", key)).mode & 0o777, 0o600, key);
    }
    assert.ok(existsSync(join(server.folder, "copy.yaml")));
    const serving = new X509Certificate(server.file("pki/apiserver.crt"));
    for (const name of ["localhost", "kubernetes", "kubernetes.default.svc"]) {
      assert.ok(serving.checkHost(name), name);
    }
    for (const address of ["127.0.0.1", "::1", "10.0.0.1"]) {
      assert.ok(serving.subjectAltName?.includes("IP Address"), address);
      assert.equal(serving.checkIP(address), address);
    }
    const verbose = await server.ask("/readyz?verbose", server.admin);
    assert.match(verbose.body, /^\[\+\]ping ok\n(\[\+\].*\n)+readyz check passed\n$/);
    const version = JSON.parse((await server.ask("/version")).body);
    assert.equal(`${version.major}.${version.minor}`, "1.36");
    const metrics = await server.ask("/metrics", server.admin);
    assert.match(metrics.body, /\napiserver_request_total\{verb="GET",.*code="200"\} [1-9]/);
    assert.match(metrics.body, /\nkubernetes_build_info\{major="1",minor="36",/);
    assert.equal((await server.ask("/metrics")).status, 403);
  } finally {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  }
});

test("a second start keeps the PKI", options, async () => {
  const server = await ServerProcess.start();
  const before = server.file("pki/ca.crt") + server.file("pki/apiserver.crt");
  server.kill("SIGTERM");
  await server.exited;
  const again = new ServerProcess(server.port, [`--data-dir=${join(server.folder, "data")}`]);
  try {
    await again.ready();
    assert.equal(server.file("pki/ca.crt") + server.file("pki/apiserver.crt"), before);
  } finally {
    await again.stop("SIGINT");
    server.remove();
  }
});

test("several front threads share the port", options, async () => {
  const server = await ServerProcess.start("--front-threads=3");
  try {
    const asked = Array.from({ length: 30 }, () => server.ask("/healthz", { agent: false }));
    for (const { status } of await Promise.all(asked)) assert.equal(status, 200);
    const { body } = await server.ask("/metrics", server.admin);
    const count = /apiserver_request_total\{verb="GET",.*subresource="\/healthz".*\} (\d+)/.exec(
      body,
    );
    assert.equal(count?.[1], "30");
  } finally {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  }
});

test("it runs by path, through symlinks, under upstream's name", options, async () => {
  const port = await freePort();
  const probe = new ServerProcess(port, ["--version"], join(root, "bin", "kube-apiserver"));
  assert.deepEqual(await probe.exited, { code: 0, signal: null });
  assert.match(probe.stdout, /^Kubernetes v1\.36\.\d+\n$/);
  const link = join(probe.folder, "kube-apiserver");
  symlinkSync(join(root, "bin", "kube-apiserver"), link);
  const linked = new ServerProcess(port, ["--version"], link);
  assert.deepEqual(await linked.exited, { code: 0, signal: null });
  probe.remove();
  linked.remove();
});

const failures: readonly [string, readonly string[], RegExp][] = [
  ["an unknown flag", ["--nope"], /^Error: unknown flag: --nope\n/m],
  ["a missing file", ["--client-ca-file=/no/ca.crt"], /^Error: --client-ca-file: .*\/no\/ca\.crt/m],
  [
    "a bad certificate",
    [`--tls-cert-file=${root}/package.json`, `--tls-private-key-file=${root}/package.json`],
    /^Error: --tls-cert-file: .*package\.json and .* are no pair/m,
  ],
  [
    "a configuration file that front threads can not use",
    [`--admission-control-config-file=${root}/LICENSE`],
    /^Error: --admission-control-config-file: /m,
  ],
  [
    "a configuration file that no one of two front threads can use",
    ["--front-threads=2", `--authorization-config=${root}/LICENSE`],
    /^Error: --authorization-config: /m,
  ],
  [
    "a store that does not answer",
    ["--etcd-servers=http://127.0.0.1:1", "--storage-initialization-timeout=2s"],
    /^Error: --etcd-servers: could not read everything from http:\/\/127\.0\.0\.1:1 within 2 s/m,
  ],
];
for (const [title, flags, message] of failures) {
  test(`${title} ends it with exit 1`, options, async () => {
    const server = new ServerProcess(await freePort(), flags);
    assert.deepEqual(await server.exited, { code: 1, signal: null });
    assert.match(server.stderr, message);
    server.remove();
  });
}

for (const threads of [1, 2]) {
  test(`a port in use ends it with exit 1 (${threads} fronts)`, options, async () => {
    const first = await ServerProcess.start();
    const second = new ServerProcess(first.port, [`--front-threads=${threads}`]);
    assert.deepEqual(await second.exited, { code: 1, signal: null });
    assert.match(second.stderr, new RegExp(`Error: .*127\\.0\\.0\\.1:${first.port}`));
    second.remove();
    await first.stop();
  });
}

test("a second signal ends it at once with exit 1", options, async () => {
  const server = await ServerProcess.start("--shutdown-delay-duration=30s");
  server.kill("SIGTERM");
  let readyz = await server.ask("/readyz");
  for (let i = 0; i < 100 && readyz.status === 200; i++) readyz = await server.ask("/readyz");
  assert.equal(readyz.status, 500, "/readyz fails while it waits");
  assert.match(readyz.body, /\[-\]shutdown failed: reason withheld/);
  assert.equal((await server.ask("/livez")).status, 200);
  server.kill("SIGTERM");
  assert.deepEqual(await server.exited, { code: 1, signal: null });
  server.remove();
});

test("an open watch ends in order", options, async () => {
  const server = await ServerProcess.start();
  const path = "/api/v1/namespaces?watch=1";
  const all = { host: "127.0.0.1", port: server.port, path, rejectUnauthorized: false };
  const ended = new Promise<string>((resolve, reject) => {
    const asking = get({ ...all, ...server.admin }, (response) => {
      response.on("data", () => {});
      response.once("end", () => resolve("ended"));
      response.once("error", reject);
      server.kill("SIGTERM");
    });
    asking.on("error", reject);
  });
  assert.equal(await ended, "ended");
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  server.remove();
});

test("changed certificate files are taken up", options, async () => {
  const port = await freePort();
  const pair = () => issue({ subject: { commonName: "s" }, usage: "server", days: 1 });
  const probe = new ServerProcess(port, ["--version"]);
  await probe.exited;
  const folder = join(probe.folder, "tls");
  mkdirSync(folder);
  const write = ({ certificate, key }: ReturnType<typeof pair>) => {
    writeFileSync(join(folder, "new.crt"), certificate);
    writeFileSync(join(folder, "tls.key"), key);
    copyFileSync(join(folder, "new.crt"), join(folder, "tls.crt"));
    return new X509Certificate(certificate).serialNumber;
  };
  const first = write(pair());
  const server = new ServerProcess(port, [
    `--tls-cert-file=${join(folder, "tls.crt")}`,
    `--tls-private-key-file=${join(folder, "tls.key")}`,
    "--front-threads=2",
  ]);
  try {
    await server.ready();
    assert.equal(await servedSerial(port), first);
    const second = write(pair());
    const deadline = Date.now() + 10_000;
    while ((await servedSerial(port)) !== second) {
      assert.ok(Date.now() < deadline, "the new certificate is served within 10 s");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    probe.remove();
  }
});
