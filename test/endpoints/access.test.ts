// The gates as flags make them, before the real API over the in-memory store: reviews, tokens, the
// issuer's documents, default roles and escalation, end to end without sockets.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { structOf } from "../../src/apis/schemas.ts";
import { signToken } from "../../src/authentication/service-account/jwt.ts";
import { parseSigningKey } from "../../src/authentication/service-account/keys.ts";
import { createApi } from "../../src/endpoints/api.ts";
import { createGates, type Gates } from "../../src/gates.ts";
import { parseOptions } from "../../src/options/options.ts";
import { installResources } from "../../src/registry/install.ts";
import { createListers } from "../../src/registry/listers.ts";
import { type ObjectClient, reconcileRbac } from "../../src/registry/rbac/reconcile.ts";
import type { ReceivedRequest, Response } from "../../src/request/request.ts";
import { BodyBuffer } from "../../src/server/body-buffer.ts";
import { HeaderFields, IncomingRequest } from "../../src/server/incoming-request.ts";
import type { LoadedFiles } from "../../src/settings.ts";
import { createStorageFactory } from "../../src/storage/factory.ts";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import { createRuntimeCodec } from "../../src/storage/runtime-codec.ts";

const ISSUER = "https://kubernetes.default.svc";
let folder: string;
let signingKey: string;
let gates: Gates;
let serve: (request: ReceivedRequest) => Promise<Response>;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "access-"));
  const tokenFile = join(folder, "tokens.csv");
  writeFileSync(tokenFile, "admin-token,admin,1,system:masters\nbob-token,bob,2,devs\n");
  const invocation = parseOptions(
    [
      `--token-auth-file=${tokenFile}`,
      "--authorization-mode=Node,RBAC",
      `--service-account-issuer=${ISSUER}`,
    ],
    2,
  );
  assert.ok(invocation.kind === "serve");
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  signingKey = key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const files = {
    clientCa: "",
    requestHeaderCa: "",
    signingKey,
    verificationKeys: [key.publicKey.export({ type: "spki", format: "pem" }).toString()],
    issuers: [ISSUER],
  } as unknown as LoadedFiles;
  const backend = createModelBackend();
  const storage = createStorageFactory(backend, { codec: createRuntimeCodec(structOf) });
  const served = installResources({
    storage,
    hookSettings: {
      serviceClusterIpRanges: ["10.0.0.0/24"],
      serviceNodePortRange: { first: 30000, last: 32767 },
      backend,
      etcdPrefix: "/registry",
    },
    isServed: (resource) => resource.default,
    storageMediaType: "protobuf",
  });
  gates = createGates({
    options: invocation.options,
    files,
    loopbackToken: "loopback",
    listers: createListers(() => served),
    storageOf: (group, resource) => served.find(group, resource)?.storage,
    externalAddress: "192.0.2.1:6443",
    log: { info: () => {}, warning: () => {}, error: (_what, error) => assert.fail(String(error)) },
  });
  const api = createApi({
    served,
    settings: {
      gate: () => false,
      allowPrivileged: true,
      eventTtlSeconds: 3600,
      minRequestTimeoutSeconds: 1800,
      deleteCollectionWorkers: 1,
    },
    admission: gates.always,
    ...gates,
    storeHealth: async () => {},
  });
  serve = (request) => api.serve(request);
  await gates.synced;
  for (const name of ["default", "kube-system", "kube-public"]) {
    await call("POST", "/api/v1/namespaces", { metadata: { name } });
  }
  await reconcileRbac(client);
  await call("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "sa" } });
});
after(async () => {
  await gates.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly body: any;
}
async function call(
  method: string,
  target: string,
  body?: unknown,
  token = "admin-token",
  extra: Record<string, string> = {},
): Promise<Answer> {
  const headers = new HeaderFields();
  if (token !== "") headers.add("authorization", `Bearer ${token}`);
  headers.add("user-agent", "test/1");
  for (const [name, value] of Object.entries(extra)) headers.add(name, value);
  const buffer = new BodyBuffer(1 << 20, { pause: () => {}, resume: () => {} });
  if (body !== undefined) buffer.push(Buffer.from(JSON.stringify(body)));
  buffer.end();
  const connection = { remoteAddress: "192.0.2.7:1", certificate: undefined, identity: undefined };
  const request = new IncomingRequest({
    method,
    target,
    headers,
    connection,
    body: buffer,
    selectors: undefined,
  });
  const response = await serve(request);
  assert.ok(response.kind === "bytes" || response.kind === "stream");
  const chunks: Uint8Array[] = [];
  if (response.kind === "bytes") chunks.push(Buffer.from(response.body));
  else {
    const piece = new Uint8Array(65536);
    for (let n = await response.read(piece); n > 0; n = await response.read(piece))
      chunks.push(piece.slice(0, n));
    response.close();
  }
  const text = Buffer.concat(chunks).toString();
  const byName = new Map(response.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const isJson = text.startsWith("{");
  return {
    code: response.status,
    type: byName.get("content-type") ?? "",
    headers: byName,
    warnings: [...request.warnings],
    body: isJson ? JSON.parse(text) : text,
  };
}
const client: ObjectClient = {
  list: async ({ group, version, resource }) =>
    (await call("GET", `/apis/${group}/${version}/${resource}`)).body.items,
  get: async () => undefined,
  create: async ({ group, version, resource }, namespace, object) => {
    const scope = namespace === "" ? "" : `namespaces/${namespace}/`;
    const { code, body } = await call(
      "POST",
      `/apis/${group}/${version}/${scope}${resource}`,
      object,
    );
    assert.equal(code, 201, JSON.stringify(body));
  },
  update: async () => assert.fail("nothing to update"),
  delete: async () => assert.fail("nothing to delete"),
};
const AUTHN = "/apis/authentication.k8s.io/v1";
const AUTHZ = "/apis/authorization.k8s.io/v1";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const SA = "/api/v1/namespaces/default/serviceaccounts/sa/token";

test("who am I", async () => {
  const { code, body } = await call("POST", `${AUTHN}/selfsubjectreviews`, {}, "bob-token");
  assert.equal(code, 201);
  assert.deepEqual(body.status.userInfo, {
    username: "bob",
    uid: "2",
    groups: ["devs", "system:authenticated"],
  });
  assert.equal((await call("POST", `${AUTHN}/selfsubjectreviews`, {}, "nope")).code, 401);
  assert.equal((await call("POST", `${AUTHN}/selfsubjectreviews`, {}, "")).code, 403);
});

test("public paths are for everybody, others are not", async () => {
  assert.equal((await call("GET", "/version", undefined, "")).code, 404); // allowed, and not in this API
  assert.equal((await call("GET", "/metrics", undefined, "")).code, 403);
  assert.equal((await call("GET", "/api/v1/pods", undefined, "loopback")).code, 200);
});

test("a default ClusterRole is as upstream makes it", async () => {
  const { body } = await call("GET", `${RBAC}/clusterroles/system:basic-user`);
  assert.deepEqual(body.metadata.annotations, {
    "rbac.authorization.kubernetes.io/autoupdate": "true",
  });
  assert.deepEqual(body.metadata.labels, { "kubernetes.io/bootstrapping": "rbac-defaults" });
  await reconcileRbac(client); // nothing is left to do
});

test("service account tokens: asked for, used, reviewed, over", async () => {
  const made = await call("POST", SA, { spec: { expirationSeconds: 600 } });
  assert.equal(made.code, 201);
  assert.deepEqual(made.body.spec, {
    audiences: [ISSUER],
    expirationSeconds: 600,
    boundObjectRef: null,
  });
  const { token } = made.body.status;
  const self = await call("POST", `${AUTHN}/selfsubjectreviews`, {}, token);
  assert.equal(self.body.status.userInfo.username, "system:serviceaccount:default:sa");
  const reviewed = await call("POST", `${AUTHN}/tokenreviews`, { spec: { token } });
  assert.equal(reviewed.code, 201);
  assert.equal(reviewed.body.status.authenticated, true);
  assert.deepEqual(reviewed.body.status.audiences, [ISSUER]);
  assert.deepEqual(reviewed.body.status.user.groups, [
    "system:serviceaccounts",
    "system:serviceaccounts:default",
    "system:authenticated",
  ]);
  const vault = await call("POST", `${AUTHN}/tokenreviews`, {
    spec: { token, audiences: ["vault"] },
  });
  assert.match(vault.body.status.error, /is invalid for the target audiences \["vault"\]/);
  assert.equal(vault.body.status.authenticated, undefined);
});

const tokenErrors: readonly (readonly [string, object, number, RegExp])[] = [
  [
    "too short",
    { spec: { expirationSeconds: 599 } },
    422,
    /may not specify a duration less than 10 minutes/,
  ],
  ["too long", { spec: { expirationSeconds: 2 ** 32 + 1 } }, 422, /larger than 2\^32 seconds/],
  [
    "another name",
    { metadata: { name: "x" }, spec: {} },
    422,
    /must match the service account name if specified/,
  ],
  [
    "another namespace",
    { metadata: { namespace: "x" }, spec: {} },
    400,
    /does not match the namespace/,
  ],
  [
    "another uid",
    { metadata: { uid: "x" }, spec: {} },
    409,
    /the UID in the token request \(x\) does not match/,
  ],
  [
    "a pod that is not there",
    { spec: { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } } },
    404,
    /pods "p" not found/,
  ],
  [
    "a node that is not there",
    { spec: { boundObjectRef: { kind: "Node", apiVersion: "v1", name: "n" } } },
    404,
    /nodes "n" not found/,
  ],
  [
    "another kind",
    { spec: { boundObjectRef: { kind: "Service", apiVersion: "v1", name: "s" } } },
    400,
    /cannot bind token to object of type \/v1, Kind=Service/,
  ],
];
for (const [what, body, code, why] of tokenErrors) {
  test(`a token bound wrongly: ${what}`, async () => {
    const answer = await call("POST", SA, body);
    assert.equal(answer.code, code, JSON.stringify(answer.body));
    assert.match(answer.body.message, why);
  });
}

test("tokens bound to a secret go with it", async () => {
  const secret = await call("POST", "/api/v1/namespaces/default/secrets", {
    metadata: { name: "s" },
  });
  const boundObjectRef = { kind: "Secret", apiVersion: "v1", name: "s" };
  const stale = await call("POST", SA, {
    spec: { boundObjectRef: { ...boundObjectRef, uid: "x" } },
  });
  assert.equal(stale.code, 409);
  const uid = secret.body.metadata.uid;
  const { body } = await call("POST", SA, { spec: { boundObjectRef: { ...boundObjectRef, uid } } });
  const review = () =>
    call("POST", `${AUTHN}/tokenreviews`, {
      spec: { token: body.status.token, audiences: [ISSUER] },
    });
  await call("DELETE", "/api/v1/namespaces/default/secrets/s");
  assert.match((await review()).body.status.error, /has been invalidated/);
});

test("the secret of a legacy token says when it was last used", async () => {
  const account = await call("GET", "/api/v1/namespaces/default/serviceaccounts/sa");
  const claims = {
    iss: "kubernetes/serviceaccount",
    "kubernetes.io/serviceaccount/namespace": "default",
    "kubernetes.io/serviceaccount/secret.name": "legacy",
    "kubernetes.io/serviceaccount/service-account.name": "sa",
    "kubernetes.io/serviceaccount/service-account.uid": account.body.metadata.uid,
    sub: "system:serviceaccount:default:sa",
  };
  const token = await signToken(parseSigningKey(signingKey), claims);
  const data = { token: Buffer.from(token).toString("base64") };
  const secret = { metadata: { name: "legacy" }, data };
  await call("POST", "/api/v1/namespaces/default/secrets", secret);
  const self = await call("POST", `${AUTHN}/selfsubjectreviews`, {}, token);
  assert.equal(self.body.status.userInfo.username, "system:serviceaccount:default:sa");
  await new Promise((resolve) => setTimeout(resolve, 50));
  const after = await call("GET", "/api/v1/namespaces/default/secrets/legacy");
  const today = new Date().toISOString().slice(0, 10);
  assert.equal(after.body.metadata.labels["kubernetes.io/legacy-token-last-used"], today);
});

test("token reviews of nothing and of nonsense", async () => {
  const empty = await call("POST", `${AUTHN}/tokenreviews`, { spec: {} });
  assert.equal(empty.code, 400);
  assert.equal(empty.body.message, "token is required for TokenReview in authentication");
  const nonsense = await call("POST", `${AUTHN}/tokenreviews`, { spec: { token: "x.y.z" } });
  assert.deepEqual(nonsense.body.status, { user: {}, error: "invalid bearer token" });
});

test("access reviews", async () => {
  const resourceAttributes = { namespace: "default", verb: "get", resource: "pods" };
  const self = async (spec: object, token = "bob-token") =>
    (await call("POST", `${AUTHZ}/selfsubjectaccessreviews`, { spec }, token)).body.status;
  assert.deepEqual(await self({ resourceAttributes }), { allowed: false });
  assert.deepEqual(await self({ resourceAttributes }, "admin-token"), { allowed: true });
  const { allowed, reason } = await self({
    nonResourceAttributes: { path: "/version", verb: "get" },
  });
  assert.equal(allowed, true);
  assert.match(
    reason,
    /^RBAC: allowed by ClusterRoleBinding "system:(discovery|public-info-viewer)"/,
  );
  const other = await call("POST", `${AUTHZ}/subjectaccessreviews`, {
    spec: { groups: ["system:masters"], resourceAttributes },
  });
  assert.deepEqual(other.body.status, { allowed: true });
  const neither = await call("POST", `${AUTHZ}/subjectaccessreviews`, { spec: { user: "x" } });
  assert.equal(neither.code, 422);
  assert.match(
    neither.body.message,
    /^\.authorization\.k8s\.io "" is invalid: spec\.resourceAttributes: Invalid value: null: exactly one of/,
  );
  const local = await call(
    "POST",
    "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews",
    {
      spec: { user: "x", resourceAttributes: { ...resourceAttributes, namespace: "other" } },
    },
  );
  assert.equal(local.code, 422);
  const bad = { ...resourceAttributes, fieldSelector: { rawSelector: "!" } };
  assert.match(
    (await self({ resourceAttributes: bad })).evaluationError,
    /fieldSelector ignored due to parse error/,
  );
  assert.equal(
    (
      await call(
        "POST",
        `${AUTHZ}/subjectaccessreviews`,
        { spec: { user: "x", resourceAttributes } },
        "bob-token",
      )
    ).code,
    403,
  );
});

test("what may I do here", async () => {
  const none = await call("POST", `${AUTHZ}/selfsubjectrulesreviews`, { spec: {} }, "bob-token");
  assert.equal(none.code, 400);
  assert.equal(none.body.message, "no namespace on request");
  const { body } = await call(
    "POST",
    `${AUTHZ}/selfsubjectrulesreviews`,
    { spec: { namespace: "default" } },
    "bob-token",
  );
  assert.deepEqual(body.spec, {});
  assert.equal(body.status.incomplete, false);
  assert.ok(body.status.resourceRules.length >= 2);
});

test("bob can not make himself king, and can once he is", async () => {
  const king = {
    metadata: { name: "king" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "bob" }],
  };
  const crown = () => call("POST", `${RBAC}/clusterrolebindings`, king, "bob-token");
  assert.equal((await crown()).code, 403);
  await call("POST", `${RBAC}/clusterroles`, {
    metadata: { name: "binder" },
    rules: [
      {
        apiGroups: ["rbac.authorization.k8s.io"],
        resources: ["clusterrolebindings"],
        verbs: ["create"],
      },
    ],
  });
  await call("POST", `${RBAC}/clusterrolebindings`, {
    ...king,
    metadata: { name: "binder" },
    roleRef: { ...king.roleRef, name: "binder" },
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.match(
    (await crown()).body.message,
    /attempting to grant RBAC permissions not currently held:\n\{APIGroups:\["\*"\]/,
  );
  assert.equal((await call("POST", `${RBAC}/clusterrolebindings`, king)).code, 201);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(
    (await call("GET", "/api/v1/namespaces/kube-system/secrets", undefined, "bob-token")).code,
    200,
  );
});

test("the issuer's documents", async () => {
  const metadata = await call("GET", "/.well-known/openid-configuration");
  assert.equal(metadata.type, "application/json");
  assert.equal(metadata.headers.get("cache-control"), "public, max-age=3600");
  assert.deepEqual(metadata.body, {
    issuer: ISSUER,
    jwks_uri: "https://192.0.2.1:6443/openid/v1/jwks",
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  });
  const keys = await call("GET", "/openid/v1/jwks", undefined, "admin-token", {
    accept: "application/jwk-set+json",
  });
  assert.equal(keys.type, "application/jwk-set+json");
  assert.deepEqual(Object.keys(keys.body.keys[0]), ["use", "kty", "kid", "alg", "n", "e"]);
  const wrong = await call("GET", "/openid/v1/jwks", undefined, "admin-token", {
    accept: "application/json",
  });
  assert.equal(wrong.code, 406);
  assert.equal(
    wrong.body.message,
    "406: Not Acceptable\n\nAvailable representations: application/jwk-set+json",
  );
  assert.equal((await call("PUT", "/openid/v1/jwks", {})).code, 405);
});
