import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  FlowSchema,
  PriorityLevelConfiguration,
} from "../../src/apis/flowcontrol/v1/types.ts";
import { maxInFlight } from "../../src/flowcontrol/max-in-flight.ts";
import { PriorityAndFairness } from "../../src/flowcontrol/priority-and-fairness.ts";
import { exposition } from "../../src/metrics/exposition.ts";
import { MetricRegistry } from "../../src/metrics/registry.ts";
import type { Response, StreamResponse } from "../../src/request/request.ts";
import { Gate, info, ok, requestOf, settled, user } from "./fakes.ts";

const isLongRunning = ({ verb, subresource }: { verb: string; subresource: string }) =>
  verb === "watch" || subresource === "log";
const list = info("list", "pods");

const level = (name: string, limited: object): PriorityLevelConfiguration => ({
  metadata: { name, uid: `uid-${name}` },
  spec: { type: "Limited", limited: { lendablePercent: 0, ...limited } },
});
const schema = (name: string, of: string, group: string): FlowSchema => ({
  metadata: { name, uid: `uid-${name}` },
  spec: {
    priorityLevelConfiguration: { name: of },
    matchingPrecedence: 100,
    distinguisherMethod: { type: "ByUser" },
    rules: [
      {
        subjects: [{ kind: "Group", group: { name: group } }],
        resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"] }],
      },
    ],
  },
});
const queue = (queueLengthLimit: number, of: object = {}) => ({
  limitResponse: { type: "Queue", queuing: { queues: 2, handSize: 1, queueLengthLimit } },
  borrowingLimitPercent: 0,
  nominalConcurrencyShares: 5,
  ...of,
});

/** Ten seats: five of catch-all, five of the level "a". */
function fairness(limited: object, waitMs = 1000) {
  const registry = new MetricRegistry();
  const onError = (error: unknown) => assert.fail(String(error));
  const control = new PriorityAndFairness({
    ...{ seats: 10, waitMs, isLongRunning, metrics: registry, onError },
  });
  control.compile([schema("a", "a", "team-a")], [level("a", limited)]);
  const run = (gate: Gate, name = "jane", signal?: AbortSignal) =>
    control.run(requestOf(list, user(name, "team-a"), signal), gate.next);
  return { control, run, text: () => exposition(registry.snapshot(), new Set()) };
}
const statusOf = (response: Response) => ("status" in response ? response.status : 0);

test("answers name the schema and the level; masters are never limited", async () => {
  const { control } = fairness(queue(1));
  const request = requestOf(list, user("jane", "team-a"));
  await control.run(request, async () => ok);
  assert.deepEqual(request.responseHeaders, [
    ["X-Kubernetes-Pf-Flowschema-Uid", "uid-a"],
    ["X-Kubernetes-Pf-Prioritylevel-Uid", "uid-a"],
  ]);
  const gate = new Gate();
  for (let i = 0; i < 50; i++) {
    void control.run(requestOf(list, user("root", "system:masters")), gate.next);
  }
  assert.equal(gate.started, 50);
});

test("Reject: what comes beyond the level's seats gets 429", async () => {
  const { run, text } = fairness({ ...queue(0), limitResponse: { type: "Reject" } });
  const gate = new Gate();
  const running = Array.from({ length: 5 }, () => run(gate));
  const refused = await run(gate);
  assert.equal(gate.started, 5);
  assert.deepEqual(refused, {
    kind: "bytes",
    status: 429,
    headers: [
      ["Content-Type", "text/plain; charset=utf-8"],
      ["X-Content-Type-Options", "nosniff"],
      ["Retry-After", "1"],
    ],
    body: "Too many requests, please try again later.\n",
  });
  const cells = 'priority_level="a",flow_schema="a"';
  assert.match(
    text(),
    new RegExp(`rejected_requests_total{${cells},reason="concurrency-limit"} 1`),
  );
  assert.match(text(), new RegExp(`current_executing_requests{${cells}} 5`));
  assert.match(text(), /nominal_limit_seats{priority_level="a"} 5/);
  for (let i = 0; i < 5; i++) gate.endOne();
  await Promise.all(running);
  assert.match(text(), new RegExp(`current_executing_requests{${cells}} 0`));
  assert.match(text(), new RegExp(`dispatched_requests_total{${cells}} 5`));
});

test("Queue: flows take turns, and a flow's queue has a bound", async () => {
  const { run } = fairness(queue(2));
  const gate = new Gate();
  for (let i = 0; i < 5; i++) void run(gate);
  const order: string[] = [];
  const from = (name: string) =>
    run(gate, name).then((response) => order.push(`${name} ${statusOf(response)}`));
  const all = [from("loud"), from("loud"), from("loud"), from("quiet")];
  await settled();
  assert.deepEqual(order, ["loud 429"], "the third does not fit");
  for (let i = 0; i < 8; i++) {
    gate.endOne();
    await settled();
  }
  await Promise.all(all);
  assert.deepEqual(order, ["loud 429", "loud 200", "quiet 200", "loud 200"]);
});

test("Queue: a request waits so long and no longer, and leaves when its client does", async () => {
  const { run, text } = fairness(queue(5), 30);
  const gate = new Gate();
  for (let i = 0; i < 5; i++) void run(gate);
  const gone = new AbortController();
  const left = run(gate, "left", gone.signal);
  gone.abort();
  assert.equal(statusOf(await left), 429);
  const started = Date.now();
  const keepAlive = setTimeout(() => {}, 1000);
  assert.equal(statusOf(await run(gate)), 429);
  clearTimeout(keepAlive);
  assert.ok(Date.now() - started >= 25);
  assert.match(text(), /reason="time-out"} 1/);
  assert.match(text(), /reason="cancelled"} 1/);
  assert.match(text(), /current_inqueue_requests{[^}]*flow_schema="a"} 0/);
  assert.equal(gate.started, 5);
});

test("a level borrows what others lend and do not use, and its waiters get what is freed", async () => {
  const registry = new MetricRegistry();
  const control = new PriorityAndFairness({
    ...{ seats: 12, waitMs: 1000, isLongRunning, metrics: registry, onError: () => {} },
  });
  const lends = queue(9, { lendablePercent: 50, borrowingLimitPercent: undefined });
  const shares = { nominalConcurrencyShares: 5 };
  control.compile(
    [schema("a", "a", "team-a"), schema("b", "b", "team-b")],
    [level("a", { ...lends, ...shares }), level("b", { ...lends, ...shares })],
  );
  const gate = new Gate();
  const run = (group: string) => control.run(requestOf(list, user("x", group)), gate.next);
  for (let i = 0; i < 12; i++) void run("team-a");
  // 4 of its own, 2 of b's; catch-all lends nothing.
  assert.equal(gate.started, 6);
  const b = new Gate();
  void control.run(requestOf(list, user("x", "team-b")), b.next);
  assert.equal(b.started, 1, "the owner never waits for the borrower");
  gate.endOne();
  await settled();
  assert.equal(gate.started, 7);
});

test("a streamed body keeps its seat until it ends, a failed request does not", async () => {
  const { run, control } = fairness({ ...queue(0), limitResponse: { type: "Reject" } });
  const stream: StreamResponse = {
    ...{ kind: "stream", status: 200, headers: [], byteLength: undefined },
    read: () => 0,
    close: () => {},
  };
  const gate = new Gate();
  const running = Array.from({ length: 5 }, () => run(gate));
  for (let i = 0; i < 5; i++) gate.endOne(i === 0 ? stream : ok);
  await Promise.all(running);
  const again = new Gate();
  for (let i = 0; i < 4; i++) void run(again);
  assert.equal(statusOf(await run(again)), 429);
  stream.close();
  void run(again);
  assert.equal(again.started, 5);
  again.endOne();
  await settled();
  const asJane = requestOf(list, user("jane", "team-a"));
  await assert.rejects(control.run(asJane, () => Promise.reject(new Error("x"))));
  assert.equal(statusOf(await control.run(asJane, async () => ok)), 200);
});

test("a schema whose level is gone is left out", async () => {
  const { control } = fairness(queue(1));
  control.compile([schema("a", "nowhere", "team-a")], []);
  const request = requestOf(list, user("jane", "team-a"));
  await control.run(request, async () => ok);
  assert.deepEqual(request.responseHeaders?.[0], ["X-Kubernetes-Pf-Flowschema-Uid", ""]);
});

test("without priority and fairness: two limits, which masters and long requests pass", async () => {
  const control = maxInFlight({ readOnly: 1, mutating: 1, isLongRunning });
  const gate = new Gate();
  const jane = user("jane");
  const get = requestOf(info("get", "pods"), jane);
  const create = requestOf(info("create", "pods"), jane);
  const running = [control.run(get, gate.next), control.run(create, gate.next)];
  assert.equal(statusOf(await control.run(get, gate.next)), 429);
  assert.equal(statusOf(await control.run(create, gate.next)), 429);
  assert.equal(gate.started, 2);
  void control.run(requestOf(info("get", "pods"), user("root", "system:masters")), gate.next);
  void control.run(requestOf(info("get", "pods", { subresource: "log" }), jane), gate.next);
  assert.equal(gate.started, 4);
  gate.endOne();
  gate.endOne();
  await Promise.all(running);
  assert.equal(statusOf(await control.run(get, async () => ok)), 200);
});
