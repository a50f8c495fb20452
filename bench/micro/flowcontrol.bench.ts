// Question: what does priority and fairness cost a request, with the suggested objects?
// Method: the median of rounds in one process, after warm-up, over a handler that answers at once;
// the same loop without the gate is taken off. Budget: 2 us.
import { flowSchemas, priorityLevels } from "../../src/controllers/bootstrap/flowcontrol.ts";
import { PriorityAndFairness } from "../../src/flowcontrol/priority-and-fairness.ts";
import { MetricRegistry } from "../../src/metrics/registry.ts";
import type { AuthenticatedRequest, Response } from "../../src/request/request.ts";
import type { UserInfo } from "../../src/request/user-info.ts";

const control = new PriorityAndFairness({
  seats: 600,
  waitMs: 15_000,
  isLongRunning: () => false,
  metrics: new MetricRegistry(),
  onError: () => {},
});
control.compile(flowSchemas as never, priorityLevels as never);

const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: "",
  groups: [...groups, "system:authenticated"],
  extra: {},
});
const info = {
  isResourceRequest: true,
  path: "/api/v1/namespaces/default/pods/x",
  verb: "get",
  apiGroup: "",
  apiVersion: "v1",
  namespace: "default",
  resource: "pods",
  subresource: "",
  name: "x",
};
const answer: Response = { kind: "bytes", status: 200, headers: [], body: "" };
const next = async () => answer;
const requestOf = (by: UserInfo) => ({ info, user: by }) as unknown as AuthenticatedRequest;

const CALLS = 100_000;
async function median(run: (i: number) => Promise<Response>): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < 15; round++) {
    const started = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) await run(i);
    rounds.push(Number(process.hrtime.bigint() - started) / CALLS);
  }
  rounds.sort((a, b) => a - b);
  return rounds[7] ?? 0;
}

const account = ["system:serviceaccount:default:x", "system:serviceaccounts"] as const;
const known = requestOf(user(...account));
const master = requestOf(user("admin", "system:masters"));
const bare = await median(next);
const report = (name: string, nanoseconds: number) =>
  console.log(`${name.padEnd(44)} ${(nanoseconds - bare).toFixed(0)} ns`);
report("system:masters", await median(() => control.run(master, next)));
report("a service account, known", await median(() => control.run(known, next)));
const fresh = () => control.run(requestOf(user(...account)), next);
report("a service account, a new UserInfo each time", await median(fresh));
