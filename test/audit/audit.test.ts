import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createAuditor } from "../../src/audit/auditor.ts";
import {
  type AuditBackend,
  type AuditSink,
  batchBackend,
  blockingBackend,
  truncating,
  unionBackend,
} from "../../src/audit/backend.ts";
import { type AuditEvent, eventJson, legacyLine, sourceAddresses } from "../../src/audit/event.ts";
import { logSink } from "../../src/audit/log-sink.ts";
import { evaluatePolicy, PolicyError, parsePolicy } from "../../src/audit/policy.ts";
import { webhookSink } from "../../src/audit/webhook-sink.ts";
import type { StreamResponse, WatchResponse } from "../../src/request/request.ts";
import type { UserInfo } from "../../src/request/user-info.ts";
import { type Headers, requestWith } from "../authentication/requests.ts";

const policyOf = (rules: string, rest = "") =>
  parsePolicy(`apiVersion: audit.k8s.io/v1\nkind: Policy\n${rest}\nrules:\n${rules}`);
const alice: UserInfo = { name: "alice", uid: "1", groups: ["devs"], extra: {} };

// ---- policy -----------------------------------------------------------------------------------

const policy = policyOf(
  `
- {level: None, users: [kubelet], verbs: [get]}
- {level: Metadata, userGroups: [ops]}
- {level: Request, namespaces: [vault], resources: [{group: "", resources: [secrets]}]}
- {level: None, resources: [{group: "", resources: [configmaps], resourceNames: [lock]}]}
- {level: RequestResponse, resources: [{group: apps, resources: ["*/scale", "daemonsets/*"]}]}
- {level: Metadata, resources: [{group: "*", resources: [widgets]}]}
- {level: Metadata, resources: [{group: batch}]}
- {level: Request, nonResourceURLs: ["/api*", /version], omitStages: [RequestReceived]}
`,
  "omitStages: [Panic]\nomitManagedFields: true",
);
const base = {
  user: alice,
  verb: "get",
  resourceRequest: true,
  apiGroup: "",
  namespace: "ns",
  resource: "pods",
  subresource: "",
  name: "p",
  path: "/x",
};
const url = (path: string) => ({ ...base, resourceRequest: false, resource: "", path });
const policyRows: readonly (readonly [
  Partial<Omit<typeof base, "user">> & { user?: UserInfo | undefined },
  string,
])[] = [
  [{ user: { ...alice, name: "kubelet" } }, "None"],
  [{ user: { ...alice, name: "kubelet", groups: ["ops"] }, verb: "list" }, "Metadata"],
  [{ namespace: "vault", resource: "secrets" }, "Request"],
  [{ namespace: "ns", resource: "secrets" }, "None"],
  [{ resource: "configmaps", name: "lock" }, "None"],
  [{ apiGroup: "apps", resource: "deployments", subresource: "scale" }, "RequestResponse"],
  [{ apiGroup: "apps", resource: "daemonsets", subresource: "status" }, "RequestResponse"],
  [{ apiGroup: "apps", resource: "daemonsets" }, "RequestResponse"],
  [{ apiGroup: "x.io", resource: "widgets" }, "Metadata"],
  [{ apiGroup: "batch", resource: "jobs" }, "Metadata"],
  [url("/api/v1"), "Request"],
  [url("/version"), "Request"],
  [url("/version/"), "None"],
  [{ user: undefined }, "None"],
];
for (const [changes, level] of policyRows) {
  test(`policy on ${JSON.stringify(changes)}: ${level}`, () => {
    assert.equal(evaluatePolicy(policy, { ...base, ...changes }).level, level);
  });
}
test("stages and managed fields are inherited", () => {
  const decision = evaluatePolicy(policy, url("/version"));
  assert.deepEqual([...decision.omitStages], ["Panic", "RequestReceived"]);
  assert.equal(decision.omitManagedFields, true);
});
const policyErrors: readonly (readonly [string, RegExp])[] = [
  ["{", /decoding/],
  ["apiVersion: v1\nkind: Policy", /unknown group version/],
  ["apiVersion: audit.k8s.io/v1\nkind: Policy", /0 rules/],
  [
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Loud}]",
    /rules\[0\].level: Unsupported/,
  ],
  [
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, omitStages: [X]}]",
    /omitStages/,
  ],
  [
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, nonResourceURLs: [/a], resources: [{}]}]",
    /cannot apply to both/,
  ],
  [
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, nonResourceURLs: [/a*b]}]",
    /Invalid value/,
  ],
];
for (const [text, why] of policyErrors) {
  test(`refused policy: ${why}`, () => {
    assert.throws(
      () => parsePolicy(text),
      (error) => error instanceof PolicyError && why.test(error.message),
    );
  });
}

// ---- events through the gate ------------------------------------------------------------------

interface Options {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Headers;
  readonly body?: string;
}
function audited(level: string, rest = "") {
  const events: Record<string, unknown>[] = [];
  const sink: AuditSink = {
    write: (lines) => void events.push(...lines.map((line) => JSON.parse(line))),
    close: () => {},
  };
  const auditor = createAuditor(
    policyOf(`- {level: ${level}}`, rest),
    blockingBackend(sink, false, () => {}),
  );
  const begin = async ({
    method = "POST",
    target = "/api/v1/namespaces/ns/configmaps",
    headers = [],
    body = "",
  }: Options = {}) => {
    const request = Object.assign(requestWith(headers, { method, target }), { user: alice });
    const bytes = Buffer.from(body);
    Object.assign(request, { body: async () => bytes });
    const session = await auditor.begin(request);
    await request.body(1000);
    return { request, session };
  };
  return { events, auditor, begin };
}
const json = (body: string, status = 201) =>
  ({ kind: "bytes", status, headers: [["Content-Type", "application/json"]], body }) as const;
const created = '{"metadata":{"name":"cm","managedFields":[{"manager":"m"}]},"data":{"a":"b"}}';

test("a create at each level", async () => {
  const wants = { Metadata: [false, false], Request: [true, false], RequestResponse: [true, true] };
  for (const [level, [hasRequest, hasResponse]] of Object.entries(wants)) {
    const { events, begin } = audited(level);
    const { session } = await begin({ body: created });
    await session?.responded(json(created));
    assert.deepEqual(
      events.map((one) => one["stage"]),
      ["RequestReceived", "ResponseComplete"],
    );
    const [, done] = events;
    assert.equal("requestObject" in (done ?? {}), hasRequest, level);
    assert.equal("responseObject" in (done ?? {}), hasResponse, level);
    assert.deepEqual(done?.["objectRef"], {
      resource: "configmaps",
      namespace: "ns",
      name: "cm",
      apiVersion: "v1",
    });
    assert.deepEqual(done?.["responseStatus"], { metadata: {}, code: 201 });
    assert.match(
      String(done?.["requestReceivedTimestamp"]),
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
    );
  }
});

test("managed fields are left out when the policy says so", async () => {
  const { events, begin } = audited("RequestResponse", "omitManagedFields: true");
  const { session } = await begin({ body: created });
  await session?.responded(json(created));
  assert.ok(!JSON.stringify(events).includes("managedFields"));
});

test("a body can not write events of its own", async () => {
  for (const body of [
    '{"a":1}\n{"kind":"Event"}',
    '{"a":1},"level":"None"',
    '{"a":1}}',
    "{",
    '{\n"a":1}\n',
  ]) {
    const lines: string[] = [];
    const sink: AuditSink = { write: (more) => void lines.push(...more), close: () => {} };
    const auditor = createAuditor(
      policyOf("- {level: Request}"),
      blockingBackend(sink, false, () => {}),
    );
    const request = Object.assign(requestWith([["User-Agent", 'x"}\n{']], { method: "POST" }), {
      user: alice,
    });
    Object.assign(request, { body: async () => Buffer.from(body) });
    const session = await auditor.begin(request);
    await request.body(1000);
    await session?.responded(json("{}"));
    for (const line of lines) {
      assert.ok(!/[\r\n]/.test(line));
      assert.equal(JSON.parse(line).level, "Request");
    }
  }
});

test("YAML bodies become JSON", async () => {
  const { events, begin } = audited("Request");
  const { session } = await begin({
    headers: [["Content-Type", "application/yaml"]],
    body: "metadata:\n  name: y\n",
  });
  await session?.responded(json("{}"));
  assert.deepEqual(events[1]?.["requestObject"], { metadata: { name: "y" } });
});

test("a Status answer is told in full", async () => {
  const { events, begin } = audited("Metadata");
  const { session } = await begin();
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "no",
    reason: "Forbidden",
    details: { kind: "pods" },
    code: 403,
  };
  await session?.responded(json(JSON.stringify(status), 403));
  assert.deepEqual(events[1]?.["responseStatus"], {
    metadata: {},
    status: "Failure",
    message: "no",
    reason: "Forbidden",
    details: { kind: "pods" },
    code: 403,
  });
});

test("a watch starts, and completes when it is closed", async () => {
  const { events, begin } = audited("RequestResponse");
  const { session } = await begin({ method: "GET", target: "/api/v1/pods?watch=1" });
  let closed = 0;
  const watch = {
    kind: "watch",
    status: 200,
    headers: [],
    close: () => closed++,
  } as unknown as WatchResponse;
  await session?.responded(watch);
  assert.deepEqual(
    events.map((one) => one["stage"]),
    ["RequestReceived", "ResponseStarted"],
  );
  watch.close();
  assert.equal(closed, 1);
  assert.equal(events[2]?.["stage"], "ResponseComplete");
  assert.equal(events[2]?.["verb"], "watch");
});

test("a streamed list is in the event", async () => {
  const { events, begin } = audited("RequestResponse");
  const { session } = await begin({ method: "GET", target: "/api/v1/pods" });
  const parts = ['{"items":[', "]}"];
  const stream: StreamResponse = {
    kind: "stream",
    status: 200,
    headers: [["Content-Type", "application/json"]],
    byteLength: undefined,
    read(target) {
      const part = parts.shift() ?? "";
      target.set(Buffer.from(part));
      return part.length;
    },
    close: () => {},
  };
  await session?.responded(stream);
  const target = Buffer.alloc(64);
  while ((await stream.read(target)) > 0);
  stream.close();
  assert.deepEqual(events[1]?.["responseObject"], { items: [] });
});

test("impersonation shows both", async () => {
  const { events, begin } = audited("Metadata");
  const { request, session } = await begin();
  Object.assign(request, {
    impersonator: alice,
    user: { ...alice, name: "bob" },
    impersonationConstraint: "impersonate:user-info",
  });
  await session?.responded(json("{}"));
  const user = (key: string) => (events[1]?.[key] as { username: string } | undefined)?.username;
  assert.deepEqual([user("user"), user("impersonatedUser")], ["alice", "bob"]);
  assert.deepEqual(events[1]?.["authenticationMetadata"], {
    impersonationConstraint: "impersonate:user-info",
  });
});

const attempts: readonly (readonly [Headers, string])[] = [
  [[], "Authentication failed, no credentials provided"],
  [[["Authorization", "Bearer secret-token"]], "Authentication failed, attempted: bearer"],
  [[["Authorization", "Basic c2VjcmV0"]], "Authentication failed, attempted: basic"],
];
for (const [headers, message] of attempts) {
  test(message, async () => {
    const { events, auditor } = audited("RequestResponse");
    await auditor.unauthenticated(requestWith(headers));
    assert.deepEqual(
      events.map((one) => one["stage"]),
      ["ResponseStarted"],
    );
    assert.deepEqual(events[0]?.["responseStatus"], { metadata: {}, message, code: 401 });
    assert.ok(!JSON.stringify(events).includes("c2VjcmV0"));
  });
}

test("blocking-strict refuses what can not be recorded; blocking goes on", async () => {
  const broken: AuditSink = {
    write: () => {
      throw new Error("disk full");
    },
    close: () => {},
  };
  const begin = (strict: boolean) =>
    createAuditor(
      policyOf("- {level: Metadata}"),
      blockingBackend(broken, strict, () => {}),
    ).begin(Object.assign(requestWith(), { user: alice }));
  await assert.rejects(begin(true), /failed to store audit event/);
  assert.ok(await begin(false));
});

// ---- backends ---------------------------------------------------------------------------------

const event = (changes: Partial<AuditEvent> = {}): AuditEvent => ({
  level: "RequestResponse",
  stage: "ResponseComplete",
  request: Object.assign(requestWith([["User-Agent", "test"]]), { user: alice }),
  names: {},
  responseStatus: { code: 200 },
  requestObject: '{"a":1}',
  responseObject: `{"b":"${"x".repeat(500)}"}`,
  stageAt: new Date(0),
  annotations: new Map(),
  ...changes,
});

test("large events lose their bodies first", () => {
  const encode = truncating(eventJson, { eventBytesMax: 600 });
  const cut = JSON.parse(encode(event()));
  assert.equal(cut.responseObject, undefined);
  assert.deepEqual(cut.annotations, { "audit.k8s.io/truncated": "true" });
  assert.ok(JSON.parse(encode(event({ responseObject: undefined }))).requestObject);
  assert.throws(() => truncating(eventJson, { eventBytesMax: 10 })(event()));
});

test("the legacy line", () => {
  const line = legacyLine(event());
  assert.match(
    line,
    /^\S+Z AUDIT: id="[^"]+" stage="ResponseComplete" ip="192\.0\.2\.9" method="list" user="alice" groups="\\"devs\\"" as="<self>" asgroups="<lookup>" user-agent="test" namespace="<none>" uri="\/api\/v1\/pods" response="200"$/,
  );
});

const addresses: readonly (readonly [Headers, string[]])[] = [
  [[], ["192.0.2.9"]],
  [[["X-Forwarded-For", "10.0.0.1, 10.0.0.2"]], ["10.0.0.1", "10.0.0.2", "192.0.2.9"]],
  [
    [
      ["X-Forwarded-For", "evil, 10.0.0.1"],
      ["X-Real-Ip", "10.0.0.3"],
    ],
    ["10.0.0.1", "10.0.0.3", "192.0.2.9"],
  ],
  [[["X-Real-Ip", "192.0.2.9"]], ["192.0.2.9"]],
];
for (const [headers, want] of addresses) {
  test(`addresses of ${JSON.stringify(headers)}`, () =>
    assert.deepEqual(sourceAddresses(requestWith(headers)), want));
}

const batchOptions = { bufferSize: 5, batchSizeMax: 2, waitMsMax: 20, throttle: undefined };
test("batches fill up, wait, and drop what does not fit", async () => {
  const batches: number[] = [];
  let errors = 0;
  const sink: AuditSink = { write: (lines) => void batches.push(lines.length), close: () => {} };
  const backend = batchBackend(
    sink,
    batchOptions,
    () => errors++,
    () => "{}",
  );
  const accepted = Array.from({ length: 7 }, () => backend.process(event()));
  assert.deepEqual(accepted, [true, true, true, true, true, false, false]);
  assert.equal(errors, 2);
  await backend.close();
  assert.deepEqual(batches, [2, 2, 1]);
});
test("a union tells when one of them lost an event", async () => {
  const fixed = (ok: boolean): AuditBackend => ({
    strict: false,
    process: () => ok,
    close: async () => {},
  });
  assert.equal(await unionBackend([fixed(true), fixed(true)]).process(event()), true);
  assert.equal(await unionBackend([fixed(true), fixed(false)]).process(event()), false);
});

test("webhook batches are EventLists, split by size", async () => {
  const sent: string[] = [];
  const client = { post: async (body: string) => void sent.push(body), close: () => {} };
  const sink = webhookSink(client as never, 10);
  await sink.write(['{"a":1}', '{"b":2}', '{"c":3}']);
  assert.deepEqual(
    sent.map((text) => JSON.parse(text).items.length),
    [1, 1, 1],
  );
  assert.equal(JSON.parse(sent[0] ?? "").kind, "EventList");
});

test("the log rotates by size, compresses and forgets", async () => {
  const folder = mkdtempSync(join(tmpdir(), "audit-"));
  try {
    const path = join(folder, "audit.log");
    const options = {
      path,
      bytesMax: 1000,
      backupsMax: 2,
      daysMax: 0,
      compress: true,
      onError: assert.fail,
    };
    const [one, two] = [logSink(options), logSink(options)]; // two front threads
    const line = JSON.stringify({ x: "y".repeat(90) });
    for (let i = 0; i < 40; i++) {
      (i % 2 === 0 ? one : two).write([line]);
      if (i % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    one.close();
    two.close();
    const files = readdirSync(folder);
    const packed = files.filter((name) => name.endsWith(".gz"));
    assert.ok(files.includes("audit.log"));
    assert.ok(packed.length >= 1, String(files));
    for (const name of packed) {
      const text = gunzipSync(readFileSync(join(folder, name))).toString();
      for (const each of text.trimEnd().split("\n")) assert.equal(each, line);
    }
    for (const each of readFileSync(path, "utf8").trimEnd().split("\n")) assert.equal(each, line);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
