// Webhooks and admission policies, asked by a whole server. Messages are those of a real v1.36.
import assert from "node:assert/strict";
import { createServer, type Server } from "node:https";
import { after, before, test } from "node:test";
import { issue } from "../../src/server/pki/certificate.ts";
import { type Answer, freePort, ServerProcess } from "./server-process.ts";

const timeout = 60_000;
const GROUP = "/apis/admissionregistration.k8s.io/v1";
const MAPS = "/api/v1/namespaces/default/configmaps";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";

interface Review {
  readonly apiVersion: string;
  readonly request: {
    readonly uid: string;
    readonly kind: unknown;
    readonly requestKind: { readonly version: string };
    readonly operation: string;
    readonly dryRun: boolean;
    readonly object: { readonly metadata: { readonly labels?: object } } | null;
    readonly oldObject: unknown;
    readonly userInfo: { readonly username: string };
  };
}
const seen: { readonly path: string; readonly review: Review }[] = [];
const ca = issue({ subject: { commonName: "webhooks" }, usage: "authority", days: 1 });
const own = issue(
  { subject: { commonName: "hook" }, usage: "server", names: ["127.0.0.1"], days: 1 },
  ca,
);
let hooks: Server;
let hookPort = 0;
let server: ServerProcess;

function patch(...operations: object[]): object {
  const text = JSON.stringify(operations);
  return { patchType: "JSONPatch", patch: Buffer.from(text).toString("base64") };
}

/** What each path of the webhook server answers besides `uid` and `allowed`. */
const ANSWERS: Readonly<Record<string, (review: Review) => object>> = {
  "/deny": () => ({
    allowed: false,
    status: { message: "no way", code: 403, reason: "Forbidden" },
  }),
  "/denybare": () => ({ allowed: false }),
  "/warn": () => ({ warnings: ["careful", "again"] }),
  "/baduid": () => ({ uid: "x" }),
  "/label": ({ request }) =>
    request.object === null
      ? {}
      : patch({ op: "add", path: "/metadata/labels/hooked", value: request.operation }),
  "/number": () => patch({ op: "add", path: "/data", value: { a: 1 } }),
};

before(async () => {
  hookPort = await freePort();
  hooks = createServer({ cert: own.certificate, key: own.key }, (request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += String(chunk);
    });
    request.on("end", () => {
      const path = (request.url ?? "").split("?")[0] ?? "";
      const review = JSON.parse(text) as Review;
      seen.push({ path: request.url ?? "", review });
      const { apiVersion } = review;
      const answer = { uid: review.request.uid, allowed: true, ...ANSWERS[path]?.(review) };
      response.statusCode = path === "/500" ? 500 : 200;
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ apiVersion, kind: "AdmissionReview", response: answer }));
    });
  });
  await new Promise<void>((resolve) => hooks.listen(hookPort, "127.0.0.1", resolve));
  server = await ServerProcess.start("--service-cluster-ip-range=10.0.0.0/24");
});
after(async () => {
  hooks.close();
  hooks.closeAllConnections();
  await server.stop();
});

function ask(method: string, path: string, object?: object): Promise<Answer> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const headers = { "Content-Type": type };
  const body = object === undefined ? undefined : JSON.stringify(object);
  return server.ask(path, { ...server.admin, method, headers }, body);
}

async function made(path: string, object: object): Promise<void> {
  const answer = await ask("POST", path, object);
  assert.equal(answer.status, 201, answer.body);
}

function map(name: string, labels: object, data: object = { a: "1" }): object {
  return { metadata: { name, labels }, data };
}

/** Expects a status and, when given, a message; a server hears of new rules a moment later. */
async function expect(
  row: readonly [method: string, path: string, object: object | undefined],
  status: number,
  message?: string,
): Promise<string> {
  const answer = await ask(...row);
  assert.equal(answer.status, status, answer.body);
  if (message !== undefined) assert.equal(JSON.parse(answer.body).message, message);
  return answer.body;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 500));

function hook(name: string, path: string, more: object = {}): object {
  const bundle = Buffer.from(ca.certificate).toString("base64");
  return {
    name: `${name}.example.com`,
    clientConfig: { url: `https://127.0.0.1:${hookPort}/${path}`, caBundle: bundle },
    rules: [
      {
        apiGroups: [""],
        apiVersions: ["v1"],
        operations: ["CREATE", "UPDATE", "DELETE"],
        resources: ["configmaps"],
      },
    ],
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    objectSelector: { matchLabels: { w: name } },
    ...more,
  };
}

test("validating webhooks", { timeout }, async () => {
  const down = { clientConfig: { url: "https://127.0.0.1:9/x" } };
  const service = { clientConfig: { service: { name: "nosvc", namespace: "default" } } };
  const condition = (expression: string) => ({ matchConditions: [{ name: "n", expression }] });
  await made(`${GROUP}/validatingwebhookconfigurations`, {
    metadata: { name: "cfg" },
    webhooks: [
      hook("deny", "deny"),
      hook("denybare", "denybare"),
      hook("warn", "warn"),
      hook("down", "x", down),
      hook("open", "x", { ...down, failurePolicy: "Ignore" }),
      hook("e500", "500"),
      hook("baduid", "baduid"),
      hook("dry", "warn", { sideEffects: "NoneOnDryRun" }),
      hook("mc", "deny", condition("object.data.a == 'x'")),
      hook("mcerr", "deny", condition("object.data.nono == 'x'")),
      hook("svc", "x", service),
      hook("ns", "deny", { namespaceSelector: { matchLabels: { no: "such" } } }),
    ],
  });
  await settled();
  const failed = (name: string) =>
    `Internal error occurred: failed calling webhook "${name}.example.com": failed to call webhook: `;
  const rows: readonly (readonly [name: string, status: number, message?: string])[] = [
    ["deny", 403, 'admission webhook "deny.example.com" denied the request: no way'],
    [
      "denybare",
      400,
      'admission webhook "denybare.example.com" denied the request without explanation',
    ],
    ["warn", 201],
    [
      "down",
      500,
      `${failed("down")}Post "https://127.0.0.1:9/x?timeout=10s": dial tcp 127.0.0.1:9: connect: connection refused`,
    ],
    ["open", 201],
    [
      "e500",
      500,
      `${failed("e500")}an error on the server ("unknown") has prevented the request from succeeding`,
    ],
    ["baduid", 500],
    ["dry", 201],
    ["mc", 201],
    [
      "mcerr",
      403,
      "configmaps \"w-mcerr\" is forbidden: expression 'object.data.nono == 'x'' resulted in error: no such key: nono",
    ],
    [
      "svc",
      500,
      `${failed("svc")}Post "https://nosvc.default.svc:443/?timeout=10s": service "nosvc" not found`,
    ],
    ["ns", 201],
  ];
  for (const [name, status, message] of rows) {
    await expect(["POST", MAPS, map(`w-${name}`, { w: name })], status, message);
  }
  await expect(["POST", MAPS, map("w-mc2", { w: "mc" }, { a: "x" })], 403);
  await expect(["POST", `${MAPS}?dryRun=All`, map("w-dry2", { w: "dry" })], 201);
  await expect(["DELETE", `${MAPS}/w-warn`, undefined], 200);
  const asked = seen.filter(({ path }) => path.startsWith("/warn"));
  const [create, dryRun, remove] = [asked[0], asked[2], asked[3]].map((one) => one?.review.request);
  assert.deepEqual(create?.kind, { group: "", version: "v1", kind: "ConfigMap" });
  assert.equal(create?.userInfo.username, "kubernetes-admin");
  assert.equal(dryRun?.dryRun, true);
  assert.equal(remove?.operation, "DELETE");
  assert.equal(remove?.object, null);
  assert.notEqual(remove?.oldObject, null);
  assert.match(asked[0]?.path ?? "", /timeout=10s$/);
});

test("mutating webhooks", { timeout }, async () => {
  await made(`${GROUP}/mutatingwebhookconfigurations`, {
    metadata: { name: "cfg" },
    webhooks: [hook("label", "label"), hook("number", "number"), hook("mdeny", "deny")],
  });
  await settled();
  const body = await expect(["POST", MAPS, map("m-label", { w: "label" })], 201);
  assert.equal(JSON.parse(body).metadata.labels.hooked, "CREATE");
  const updated = await expect(["PATCH", `${MAPS}/m-label`, { data: { b: "2" } }], 200);
  assert.equal(JSON.parse(updated).metadata.labels.hooked, "UPDATE");
  await expect(["DELETE", `${MAPS}/m-label`, undefined], 200);
  await expect(
    ["POST", MAPS, map("m-number", { w: "number" })],
    500,
    "Internal error occurred: json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
  );
  await expect(["POST", MAPS, map("m-deny", { w: "mdeny" })], 403);
});

const CONFIG_MAPS = {
  resourceRules: [
    {
      apiGroups: [""],
      apiVersions: ["v1"],
      operations: ["CREATE", "UPDATE", "DELETE"],
      resources: ["configmaps"],
    },
  ],
};

async function policy(name: string, spec: object, binding: object = {}): Promise<void> {
  await made(`${GROUP}/validatingadmissionpolicies`, {
    metadata: { name },
    spec: { matchConstraints: CONFIG_MAPS, ...spec },
  });
  const matchResources = { objectSelector: { matchLabels: { t: name } } };
  await made(`${GROUP}/validatingadmissionpolicybindings`, {
    metadata: { name: `${name}-b` },
    spec: { policyName: name, validationActions: ["Deny"], matchResources, ...binding },
  });
}

function denied(kind: string, name: string, by: string, why: string): string {
  return `${kind} "${name}" is forbidden: ValidatingAdmissionPolicy '${by}' with binding '${by}-b' denied request: ${why}`;
}

test("validating policies", { timeout }, async () => {
  await made(MAPS, map("theparams", { isparam: "x" }, { want: "7" }));
  const one = (expression: string, more: object = {}) => ({
    validations: [{ expression, ...more }],
  });
  await policy("needs-a", one("object == null || has(object.data.a)", { message: "a is needed" }));
  await policy("message", {
    validations: [
      {
        expression: "object.data.a == '1'",
        messageExpression: "'a is ' + object.data.a",
        reason: "Forbidden",
      },
    ],
  });
  await policy("closed", one("object.data.zzz == 'x'"));
  await policy("open", { ...one("object.data.zzz == 'x'"), failurePolicy: "Ignore" });
  await policy("warns", one("false", { message: "just a warning" }), {
    validationActions: ["Warn", "Audit"],
  });
  await policy("variables", {
    ...one("variables.m > 2", { messageExpression: "'only ' + string(variables.n)" }),
    variables: [
      { name: "n", expression: "size(object.data)" },
      { name: "m", expression: "variables.n + 1" },
    ],
  });
  await policy(
    "params",
    {
      ...one("object.data.a == params.data.want", {
        messageExpression: "'want ' + params.data.want",
      }),
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
    },
    { paramRef: { name: "theparams", namespace: "default", parameterNotFoundAction: "Deny" } },
  );
  await policy(
    "noparams",
    { ...one("true"), paramKind: { apiVersion: "v1", kind: "ConfigMap" } },
    { paramRef: { name: "nope", parameterNotFoundAction: "Deny" } },
  );
  await policy(
    "request",
    one(
      "request.operation == 'CREATE' && request.kind.kind == 'ConfigMap' && request.namespace == 'default' && namespaceObject.metadata.name == 'default' && !request.dryRun && !has(request.subResource)",
    ),
  );
  await policy(
    "authorizer",
    one(
      "authorizer.group('').resource('secrets').namespace('default').check('get').allowed() && authorizer.requestResource.check('create').allowed()",
    ),
  );
  await policy("condition", {
    ...one("false"),
    matchConditions: [{ name: "x", expression: "object.data.a == 'go'" }],
  });
  await policy("expensive", one("lists.range(1000).all(a, lists.range(1000).all(b, a + b >= 0))"));
  await settled();
  const said = (by: string, name: string, why: string) => denied("configmaps", name, by, why);
  const rows: readonly (readonly [by: string, data: object, status: number, why?: string])[] = [
    ["needs-a", { a: "1" }, 201],
    ["needs-a", { b: "1" }, 422, "a is needed"],
    ["message", { a: "1" }, 201],
    ["message", { a: "2" }, 403, "a is 2"],
    [
      "closed",
      { a: "1" },
      422,
      "expression 'object.data.zzz == 'x'' resulted in error: no such key: zzz",
    ],
    ["open", { a: "1" }, 201],
    ["warns", { a: "1" }, 201],
    ["variables", { a: "1" }, 422, "only 1"],
    ["variables", { a: "1", b: "2" }, 201],
    ["params", { a: "1" }, 422, "want 7"],
    ["params", { a: "7" }, 201],
    [
      "noparams",
      { a: "1" },
      422,
      "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
    ],
    ["request", { a: "1" }, 201],
    ["authorizer", { a: "1" }, 201],
    ["condition", { a: "1" }, 201],
    ["condition", { a: "go" }, 422, "failed expression: false"],
    [
      "expensive",
      { a: "1" },
      422,
      "expression 'lists.range(1000).all(a, lists.range(1000).all(b, a + b >= 0))' resulted in error: operation cancelled: actual cost limit exceeded",
    ],
  ];
  for (const [i, [by, data, status, why]] of rows.entries()) {
    const message = why === undefined ? undefined : said(by, `p-${i}`, why);
    await expect(["POST", MAPS, map(`p-${i}`, { t: by }, data)], status, message);
  }
});

test("a policy over a scale subresource and its owner", { timeout }, async () => {
  const rule = {
    apiGroups: ["apps"],
    apiVersions: ["v1"],
    operations: ["CREATE", "UPDATE"],
    resources: ["deployments", "deployments/scale"],
  };
  await policy(
    "replicas",
    {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: "object.spec.replicas <= 3", message: "too many" }],
    },
    { matchResources: {} },
  );
  await settled();
  const labels = { a: "b" };
  const deployment = (name: string, replicas: number) => ({
    metadata: { name, labels: { t: "replicas" } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  });
  await expect(
    ["POST", DEPLOYMENTS, deployment("big", 5)],
    422,
    denied("deployments.apps", "big", "replicas", "too many"),
  );
  await expect(["POST", DEPLOYMENTS, deployment("small", 2)], 201);
  await expect(
    ["PATCH", `${DEPLOYMENTS}/small/scale`, { spec: { replicas: 5 } }],
    422,
    denied("deployments.apps", "small", "replicas", "too many"),
  );
});

test("mutating policies", { timeout }, async () => {
  const apply = (expression: string) => ({
    patchType: "ApplyConfiguration",
    applyConfiguration: { expression },
  });
  const json = (expression: string) => ({ patchType: "JSONPatch", jsonPatch: { expression } });
  const rules: readonly (readonly [name: string, mutation: object])[] = [
    ["labels", apply("Object{metadata: Object.metadata{labels: {'mutated': 'yes'}}}")],
    [
      "adds",
      json("[JSONPatch{op: 'add', path: '/data/added', value: object.metadata.name + '!'}]"),
    ],
    [
      "tests",
      json(
        "[JSONPatch{op: 'test', path: '/data/a', value: 'zz'}, JSONPatch{op: 'add', path: '/data/added', value: 'x'}]",
      ),
    ],
    ["named", apply("Object{data: Object.wrong{a: 'x'}}")],
    ["unknown", apply("Object{nope: 'x'}")],
    ["fails", apply("Object{data: {'k': object.data.none}}")],
  ];
  for (const [name, mutation] of rules) {
    await made(`${GROUP}/mutatingadmissionpolicies`, {
      metadata: { name },
      spec: {
        reinvocationPolicy: "Never",
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [""],
              apiVersions: ["v1"],
              operations: ["CREATE"],
              resources: ["configmaps"],
            },
          ],
        },
        mutations: [mutation],
      },
    });
    await made(`${GROUP}/mutatingadmissionpolicybindings`, {
      metadata: { name: `${name}-b` },
      spec: {
        policyName: name,
        matchResources: { objectSelector: { matchLabels: { t: `m-${name}` } } },
      },
    });
  }
  await settled();
  const create = (name: string, status: number, why?: string) => {
    const by = `policy '${name}' with binding '${name}-b' denied request: `;
    const row = ["POST", MAPS, map(`mutated-${name}`, { t: `m-${name}` })] as const;
    return expect(row, status, why === undefined ? undefined : by + why);
  };
  assert.equal(JSON.parse(await create("labels", 201)).metadata.labels.mutated, "yes");
  assert.equal(JSON.parse(await create("adds", 201)).data.added, "mutated-adds!");
  assert.deepEqual(JSON.parse(await create("tests", 201)).data, { a: "1" });
  await create(
    "named",
    403,
    'type mismatch: unexpected type name "Object.wrong", expected "Object.data", which matches field name path from root Object type',
  );
  await create(
    "unknown",
    403,
    "error applying patch: failed to convert patch object to typed object: .nope: field not declared in schema",
  );
  await create(
    "fails",
    403,
    "expression 'Object{data: {'k': object.data.none}}' resulted in error: no such key: none",
  );
});
