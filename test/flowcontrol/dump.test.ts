import assert from "node:assert/strict";
import { test } from "node:test";
import { dumpHandler } from "../../src/flowcontrol/dump.ts";
import { PriorityLevel, SeatPool } from "../../src/flowcontrol/priority-level.ts";
import type {
  AuthenticatedRequest,
  AuthorizedRequest,
  BytesResponse,
} from "../../src/request/request.ts";

const waiting = {
  signal: new AbortController().signal,
  user: { name: "ann" },
  info: {
    ...{ verb: "list", path: "/apis/apps/v1/deployments", namespace: "", name: "" },
    ...{ apiGroup: "apps", apiVersion: "v1", resource: "deployments", subresource: "" },
  },
} as unknown as AuthenticatedRequest;

test("dumps show what runs and what waits", async () => {
  const level = new PriorityLevel("low", new SeatPool(1), 60_000);
  const limitResponse = {
    type: "Queue",
    queuing: { queues: 4, handSize: 1, queueLengthLimit: 5 },
  } as const;
  level.configure({ type: "Limited", limited: { nominalConcurrencyShares: 1, limitResponse } }, 1);
  assert.ok(level.tryStart());
  const outcome = level.wait({ flow: "schema/ann", request: waiting });
  const dump = (name: string, query = "") => {
    const handler = dumpHandler(`/debug/api_priority_and_fairness/${name}`, () => [level]);
    assert.ok(handler !== undefined, name);
    const request = { query: new URLSearchParams(query) } as unknown as AuthorizedRequest;
    return String((handler(request) as BytesResponse).body).split("\n");
  };
  assert.deepEqual(dump("dump_priority_levels").slice(1), [
    "low,               1,            false,  false,       1,               1,                 1,                  0,                0,                0",
    "",
  ]);
  assert.match(dump("dump_queues")[1] ?? "", /^low, +0, +1, /);
  const details = dump("dump_requests", "includeRequestDetails=1");
  assert.match(details[0] ?? "", /StartTime, +UserName, Verb, +APIPath/);
  assert.match(details[1] ?? "", /^low, +schema, +0, +0, +ann, .*ann, +list, +\/apis\/apps\/v1/);
  level.finish();
  assert.equal(await outcome, "run");
  assert.equal(dump("dump_requests").length, 2);
  assert.equal(
    dumpHandler("/debug/api_priority_and_fairness/", () => []),
    undefined,
  );
});
