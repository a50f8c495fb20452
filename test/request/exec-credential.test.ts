import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ExecCredentials } from "../../src/request/outgoing/exec-credential.ts";
import { loadKubeconfig } from "../../src/request/outgoing/kubeconfig.ts";
import { retriesFrom, WebhookClient } from "../../src/request/outgoing/webhook-client.ts";

const V1 = "client.authentication.k8s.io/v1";
const folder = mkdtempSync(join(tmpdir(), "exec-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A command that prints $ANSWER with the number of its runs for %, and keeps what it was told. */
const command = join(folder, "plugin");
const runsFile = join(folder, "runs");
const script = `#!/bin/sh
echo x >> "${runsFile}"
printf '%s' "$KUBERNETES_EXEC_INFO" > "${join(folder, "info")}"
printf '%s' "$ANSWER" | sed "s/%/$(wc -l < "${runsFile}" | tr -d ' ')/"
exit \${CODE:-0}
`;
writeFileSync(command, script, { mode: 0o755 });
const credential = (status: object | undefined, more = {}) =>
  JSON.stringify({ apiVersion: V1, kind: "ExecCredential", status, ...more });
const execWith = (env: Record<string, string>, now = Date.now, path = command) =>
  new ExecCredentials(
    { apiVersion: V1, command: path, args: [], env, cluster: { server: "https://x" } },
    now,
  );
const runs = () => readFileSync(runsFile, "utf8").length / 2;

test("a credential is kept until it expires, or the server refuses it", async () => {
  writeFileSync(runsFile, "");
  let now = Date.now();
  const expirationTimestamp = new Date(now + 60_000).toISOString();
  const exec = execWith({ ANSWER: credential({ token: "t%", expirationTimestamp }) }, () => now);
  const [first, same] = await Promise.all([exec.get(), exec.get()]);
  assert.equal(first.authorization, "Bearer t1");
  assert.equal(same, first);
  assert.equal(await exec.get(), first);
  exec.refused(first);
  const second = await exec.get();
  assert.equal(second.authorization, "Bearer t2");
  exec.refused(first); // it is not in use any more
  assert.equal(await exec.get(), second);
  now += 61_000;
  await exec.get();
  assert.equal(runs(), 3);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "info"), "utf8")), {
    kind: "ExecCredential",
    apiVersion: V1,
    spec: { interactive: false, cluster: { server: "https://x" } },
  });
});

const bad: readonly (readonly [string, Record<string, string>, RegExp])[] = [
  ["fails", { CODE: "3" }, /failed with exit code 3$/],
  ["prints no JSON", { ANSWER: "secret" }, /^decoding stdout: no JSON$/],
  [
    "prints another kind",
    { ANSWER: credential({ token: "x" }, { kind: "Pod" }) },
    /no ExecCredential/,
  ],
  [
    "prints another version",
    { ANSWER: credential({ token: "x" }, { apiVersion: `${V1}beta1` }) },
    /configured to use API version .*\/v1, plugin returned version .*\/v1beta1$/,
  ],
  ["has no status", { ANSWER: credential(undefined) }, /didn't return a status field/],
  ["has no credential", { ANSWER: credential({}) }, /didn't return a token or cert\/key pair/],
  ["has half a pair", { ANSWER: credential({ clientKeyData: "x" }) }, /only certificate or key/],
];
for (const [what, env, message] of bad) {
  test(`a command that ${what} gives none`, async () => {
    await assert.rejects(execWith(env).get(), { name: "ExecError", message });
  });
}

test("a command that is not there", async () => {
  const message = /^exec: executable .*missing not found$/;
  await assert.rejects(execWith({}, Date.now, join(folder, "missing")).get(), { message });
});

const kubeconfig = (server: string, user: object) => {
  const path = join(folder, "kubeconfig");
  const config = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
    clusters: [{ name: "k", cluster: { server } }],
    users: [{ name: "u", user }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
};

test("a webhook's kubeconfig with exec; a token that is refused is fetched anew", async () => {
  writeFileSync(runsFile, "");
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.statusCode = request.headers.authorization === "Bearer t1" ? 401 : 200;
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const exec = {
    apiVersion: V1,
    command: "./plugin",
    interactiveMode: "Never",
    env: [{ name: "ANSWER", value: credential({ token: "t%" }) }],
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { timeoutMs: 5_000, retry: { ...retriesFrom(1), tries: 1 } };
  const client = new WebhookClient(loadKubeconfig(kubeconfig(url, { exec })), options);
  try {
    await assert.rejects(client.post("{}"), /401/);
    assert.deepEqual(await client.post("{}"), {});
    assert.deepEqual(await client.post("{}"), {});
    assert.deepEqual(seen, ["Bearer t1", "Bearer t2", "Bearer t2"]);
  } finally {
    client.close();
    server.close();
  }
});

const refused: readonly (readonly [string, object, RegExp])[] = [
  [
    "no command",
    { apiVersion: V1, interactiveMode: "Never" },
    /^command must be specified for u to/,
  ],
  [
    "no version",
    { command: "x", interactiveMode: "Never" },
    /^apiVersion must be specified for u to/,
  ],
  ["no mode", { command: "x", apiVersion: V1 }, /^interactiveMode must be specified for u to/],
  ["an old version", { command: "x", apiVersion: `${V1}alpha1` }, /invalid apiVersion/],
];
for (const [what, exec, message] of refused) {
  test(`a kubeconfig's exec with ${what}`, () => {
    const path = kubeconfig("https://x", { exec });
    assert.throws(() => loadKubeconfig(path), { name: "KubeconfigError", message });
  });
}

test("a token in the kubeconfig goes before exec", () => {
  const exec = { command: "x", apiVersion: V1, interactiveMode: "Never" };
  assert.equal(loadKubeconfig(kubeconfig("https://x", { exec, token: "t" })).exec, undefined);
});
