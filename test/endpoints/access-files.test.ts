// Configuration files of authentication and authorization: what the server does with them at start
// and when they change.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createGates } from "../../src/gates.ts";
import { parseOptions } from "../../src/options/options.ts";
import { ConfigError, type LoadedFiles } from "../../src/settings.ts";
import { requestWith } from "../authentication/requests.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "access-files-"));
});
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

function gatesOf(...flags: string[]) {
  const logged: string[] = [];
  const invocation = parseOptions(flags, 2);
  assert.ok(invocation.kind === "serve");
  const gates = createGates({
    options: invocation.options,
    files: {
      clientCa: "",
      requestHeaderCa: "",
      signingKey: "",
      verificationKeys: [],
      issuers: ["https://own"],
    } as unknown as LoadedFiles,
    loopbackToken: "loopback",
    listers: {
      get: async () => undefined,
      list: async () => [],
      getFresh: async () => undefined,
      onChange: () => {},
    },
    storageOf: () => undefined,
    externalAddress: "192.0.2.1:6443",
    log: {
      info: (message) => logged.push(message),
      warning: (message) => logged.push(message),
      error: (message) => logged.push(message),
    },
  });
  return { gates, logged };
}
const until = async (holds: () => boolean) => {
  for (let i = 0; i < 100 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(holds());
};

const authz = (types: string[]) =>
  `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers:\n${types.map((type) => `- {type: ${type}, name: ${type.toLowerCase()}}`).join("\n")}\n`;
const authn = (path: string) =>
  `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymous: {enabled: true, conditions: [{path: ${path}}]}\n`;
const asking = {
  user: { name: "u", uid: "", groups: [], extra: {} },
  verb: "get",
  resourceRequest: false,
  apiGroup: "",
  apiVersion: "",
  namespace: "",
  resource: "",
  subresource: "",
  name: "",
  path: "/x",
};

test("a changed authorization configuration is taken up, a broken one is not", async () => {
  const path = file("authz.yaml", authz(["AlwaysDeny"]));
  const { gates, logged } = gatesOf(`--authorization-config=${path}`);
  const decision = async () => (await gates.authorizer.authorize(asking)).decision;
  assert.equal(await decision(), "NoOpinion");
  writeFileSync(path, "authorizers: [");
  await until(() => logged.some((line) => line.includes("the old one stays")));
  assert.equal(await decision(), "NoOpinion");
  writeFileSync(path, authz(["AlwaysAllow"]));
  await until(() => logged.some((line) => line.includes("read again")));
  assert.equal(await decision(), "Allow");
  await gates.close();
});

test("a changed authentication configuration is taken up", async () => {
  const path = file("authn.yaml", authn("/livez"));
  const { gates, logged } = gatesOf(`--authentication-config=${path}`, "--authorization-mode=RBAC");
  const may = async (target: string) =>
    (await gates.authenticate(requestWith([], { target }))) !== undefined;
  assert.deepEqual([await may("/livez"), await may("/readyz")], [true, false]);
  writeFileSync(path, authn("/readyz"));
  await until(() => logged.some((line) => line.includes("read again")));
  assert.deepEqual([await may("/livez"), await may("/readyz")], [false, true]);
  await gates.close();
});

test("anonymous requests are off under AlwaysAllow", async () => {
  const { gates, logged } = gatesOf("--authorization-mode=AlwaysAllow");
  assert.equal(await gates.authenticate(requestWith()), undefined);
  assert.ok(logged.some((line) => line.includes("Resetting AnonymousAuth to false")));
  await gates.close();
});

const mistakes: readonly (readonly [
  string,
  (path: (text: string) => string) => string[],
  RegExp,
])[] = [
  [
    "token file",
    (path) => [`--token-auth-file=${path("a,b")}`],
    /--token-auth-file: .*at least 3 columns/,
  ],
  ["missing token file", () => ["--token-auth-file=/none/such"], /--token-auth-file: ENOENT/],
  [
    "authentication configuration",
    (path) => [`--authentication-config=${path("kind: X")}`],
    /--authentication-config: .*apiVersion/,
  ],
  [
    "authorization configuration",
    (path) => [`--authorization-config=${path(authz(["X"]))}`],
    /Unsupported value/,
  ],
  [
    "ABAC policy",
    (path) => ["--authorization-mode=ABAC", `--authorization-policy-file=${path("{")}`],
    /line 1/,
  ],
  [
    "webhook kubeconfig",
    (path) => [
      "--authorization-mode=Webhook",
      `--authorization-webhook-config-file=${path("a: b")}`,
    ],
    /has no current context/,
  ],
  [
    "token webhook kubeconfig",
    (path) => [`--authentication-token-webhook-config-file=${path("a: b")}`],
    /--authentication-token-webhook-config-file: .*has no current context/,
  ],
  [
    "audit policy",
    (path) => ["--audit-log-path=-", `--audit-policy-file=${path("a: b")}`],
    /--audit-policy-file: .*unknown group version/,
  ],
  [
    "audit log in a file's place",
    (path) => [
      `--audit-log-path=${path("x")}/y`,
      `--audit-policy-file=${path("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None}]")}`,
    ],
    /--audit-log-path/,
  ],
];
for (const [what, flags, why] of mistakes) {
  test(`a bad ${what} is named at start`, () => {
    let count = 0;
    const make = () =>
      gatesOf(...flags((text) => file(`${what.replaceAll(" ", "-")}-${count++}`, text)));
    assert.throws(make, (error) => error instanceof ConfigError && why.test(error.message));
  });
}
