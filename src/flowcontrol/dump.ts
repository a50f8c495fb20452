/**
 * `/debug/api_priority_and_fairness/...`: what this thread's levels do now, as text for people.
 * Upstream: apiserver/pkg/util/flowcontrol/apf_controller_debug.go. Queues are flows here, and
 * requests that run are counted, not listed: see docs/COMPATIBILITY.md.
 */
import type { AuthorizedRequest, BytesResponse, Handler } from "../request/request.ts";
import type { PriorityLevel } from "./priority-level.ts";

const ROOT = "/debug/api_priority_and_fairness/";
const CELL_MIN = 8;

/** The handler of one of the dumps; undefined for other paths. */
export function dumpHandler(
  path: string,
  levels: () => Iterable<PriorityLevel>,
): Handler | undefined {
  if (!path.startsWith(ROOT)) return undefined;
  const make = dumps[path.slice(ROOT.length)];
  if (make === undefined) return undefined;
  return (request) => {
    const sorted = [...levels()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return text(make(sorted, request));
  };
}

type Rows = readonly (readonly string[])[];

const dumps: Readonly<
  Record<string, (levels: readonly PriorityLevel[], request: AuthorizedRequest) => Rows>
> = {
  dump_priority_levels: (levels) => [
    [
      ...["PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests"],
      ...["ExecutingRequests", "DispatchedRequests", "RejectedRequests", "TimedoutRequests"],
      "CancelledRequests",
    ],
    ...levels.map((level) => {
      const { executing, waiting, queues, counts } = level.dump();
      const isIdle = executing === 0 && waiting === 0;
      const { dispatched, rejected, timedOut, cancelled } = counts;
      const cells = [waiting, executing, dispatched, rejected, timedOut, cancelled];
      return [level.name, String(queues.length), String(isIdle), "false", ...cells.map(String)];
    }),
  ],
  dump_queues: (levels) => [
    [
      ...["PriorityLevelName", "Index", "PendingRequests", "ExecutingRequests", "SeatsInUse"],
      ...["NextDispatchR", "InitialSeatsSum", "MaxSeatsSum", "TotalWorkSum"],
    ],
    ...levels.flatMap((level) =>
      level.dump().queues.map(({ waiters }, index) => {
        const pending = String(waiters.length);
        const none = "0.00000000ss";
        return [level.name, String(index), pending, "0", "0", none, pending, pending, none];
      }),
    ),
  ],
  dump_requests: (levels, request) => {
    const detailed = (request.query.get("includeRequestDetails") ?? "") !== "";
    return [
      [
        ...["PriorityLevelName", "FlowSchemaName", "QueueIndex", "RequestIndexInQueue"],
        ...["FlowDistingsher", "ArriveTime", "InitialSeats", "FinalSeats", "AdditionalLatency"],
        ...["StartTime", ...(detailed ? DETAILS : [])],
      ],
      ...levels.flatMap((level) => requestsOf(level, detailed)),
    ];
  },
};

const DETAILS = [
  ...["UserName", "Verb", "APIPath", "Namespace", "Name", "APIVersion", "Resource"],
  "SubResource",
];

function requestsOf(level: PriorityLevel, detailed: boolean): string[][] {
  return level.dump().queues.flatMap(({ flow, waiters }, index) => {
    const [schema = "", ...distinguisher] = flow.split("/");
    return waiters.map(({ request, arrivedAt }, place) => {
      const { user, info } = request;
      const version =
        info.apiGroup === "" ? info.apiVersion : `${info.apiGroup}/${info.apiVersion}`;
      const at = [String(index), String(place), distinguisher.join("/")];
      const { verb, path, namespace, name, resource, subresource } = info;
      return [
        ...[level.name, schema, ...at, new Date(arrivedAt).toISOString(), "1", "0", "0s"],
        "0001-01-01T00:00:00Z",
        ...(detailed
          ? [user.name, verb, path, namespace, name, version, resource, subresource]
          : []),
      ];
    });
  });
}

/** Cells end in a comma and are as wide as the widest of their column, the last one excepted. */
function text(rows: Rows): BytesResponse {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(CELL_MIN, ...rows.map((row) => (row[column] ?? "").length + 2)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : `${cell},`.padEnd(widths[column] ?? 0),
      )
      .join("");
  return {
    kind: "bytes",
    status: 200,
    headers: [["Content-Type", "text/plain; charset=utf-8"]],
    body: `${rows.map(line).join("\n")}\n`,
  };
}
