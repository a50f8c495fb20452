import assert from "node:assert/strict";
import { test } from "node:test";
import { CronError, checkSchedule } from "../../../src/apis/batch/v1/validation/cron.ts";
import {
  changed,
  contextOf,
  decoded,
  registrationOf,
  testCreate,
  testUpdate,
} from "../verdicts.ts";

const jobs = registrationOf("batch", "jobs");
const spec = {
  template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i:1" }] } },
};
const metadata = { name: "j", namespace: "n", resourceVersion: "1", uid: "u" };
const job = { apiVersion: "batch/v1", kind: "Job", metadata, spec };
const indexed = changed(job, {
  "spec.completionMode": "Indexed",
  "spec.completions": 5,
  "spec.parallelism": 5,
});

testCreate(jobs, job, [
  ["as it stands", {}],
  ["negative parallelism", { "spec.parallelism": -1 }, ["Invalid spec.parallelism"]],
  [
    "always restarting",
    { "spec.template.spec.restartPolicy": "Always" },
    ["Required spec.template.spec.restartPolicy"],
  ],
  [
    "a selector that is not asked for",
    { "spec.selector": { matchLabels: { a: "b" } } },
    ["Invalid spec.selector", "Invalid spec.template.metadata.labels"],
  ],
  [
    "labels of another job",
    { "spec.template.metadata": { labels: { "job-name": "other" } } },
    ["Invalid spec.template.metadata.labels[job-name]"],
  ],
  [
    "manual selector without one",
    { "spec.manualSelector": true },
    ["Required spec.selector", "Invalid spec.template.metadata.labels"],
  ],
  [
    "limits per index, not indexed",
    { "spec.backoffLimitPerIndex": 1 },
    ["Invalid spec.backoffLimitPerIndex"],
  ],
  ["unknown mode", { "spec.completionMode": "x" }, ["NotSupported spec.completionMode"]],
  ["manager without a domain", { "spec.managedBy": "me" }, ["Invalid spec.managedBy"]],
  [
    "unknown replacement",
    { "spec.podReplacementPolicy": "x" },
    ["NotSupported spec.podReplacementPolicy"],
  ],
  [
    "a rule of both kinds",
    {
      "spec.podFailurePolicy": {
        rules: [
          {
            action: "Count",
            onExitCodes: { operator: "In", values: [1] },
            onPodConditions: [{ type: "Ready", status: "True" }],
          },
        ],
      },
    },
    ["Invalid spec.podFailurePolicy.rules[0]"],
  ],
  [
    "exit codes",
    {
      "spec.podFailurePolicy": {
        rules: [{ action: "FailIndex", onExitCodes: { operator: "In", values: [2, 0, 2] } }],
      },
    },
    [
      "Invalid spec.podFailurePolicy.rules[0].action",
      "Invalid spec.podFailurePolicy.rules[0].onExitCodes.values[1]",
      "Duplicate spec.podFailurePolicy.rules[0].onExitCodes.values[2]",
      "Invalid spec.podFailurePolicy.rules[0].onExitCodes.values",
    ],
  ],
]);
testCreate(jobs, indexed, [
  ["as it stands", {}],
  ["without completions", { "spec.completions": undefined }, ["Required spec.completions"]],
  [
    "indexes beyond the end",
    { "spec.successPolicy": { rules: [{ succeededIndexes: "0-5" }] } },
    ["Invalid spec.successPolicy.rules[0].succeededIndexes"],
  ],
  [
    "an empty rule",
    { "spec.successPolicy": { rules: [{}] } },
    ["Required spec.successPolicy.rules[0]"],
  ],
  [
    "more successes than indexes",
    { "spec.successPolicy": { rules: [{ succeededIndexes: "1,3", succeededCount: 3 }] } },
    ["Invalid spec.successPolicy.rules[0].succeededCount"],
  ],
  ["a name too long for its pods", { "metadata.name": "a".repeat(62) }, ["Invalid metadata.name"]],
]);

/** As stored: with the selector that the server made. */
function stored(plain: object): object {
  const object = decoded(jobs, plain);
  jobs.strategy.prepareForCreate?.(contextOf(object), object);
  return object;
}

const storedJob = stored(job);
testUpdate(jobs, storedJob, [
  ["nothing", {}],
  ["parallelism", { "spec.parallelism": 3 }],
  ["completions", { "spec.completions": 3 }, ["Invalid spec.completions"]],
  ["image", { "spec.template.spec.containers[0].image": "i:2" }, ["Invalid spec.template"]],
  ["manager", { "spec.managedBy": "a.b/c" }, ["Invalid spec.managedBy"]],
]);
testUpdate(jobs, stored(changed(job, { "spec.suspend": true })), [
  ["node selector while suspended", { "spec.template.spec.nodeSelector": { a: "b" } }],
  [
    "resources while suspended",
    { "spec.template.spec.containers[0].resources": { requests: { cpu: "1" } } },
  ],
  [
    "image while suspended",
    { "spec.template.spec.containers[0].image": "i:2" },
    ["Invalid spec.template"],
  ],
]);
testUpdate(jobs, stored(indexed), [
  ["scaled", { "spec.completions": 7, "spec.parallelism": 7 }],
  ["only completions", { "spec.completions": 7 }, ["Invalid spec.completions"]],
]);

const time = "2026-01-02T03:04:05Z";
const complete = { type: "Complete", status: "True" };
const met = { type: "SuccessCriteriaMet", status: "True" };
const failed = { type: "Failed", status: "True" };
const target = { type: "FailureTarget", status: "True" };
testUpdate(
  jobs,
  { ...storedJob, status: { startTime: time, succeeded: 1, failed: 1 } },
  [
    ["complete", { "status.conditions": [met, complete], "status.completionTime": time }],
    [
      "complete without a time",
      { "status.conditions": [met, complete] },
      ["Required status.completionTime"],
    ],
    ["a time too early", { "status.completionTime": time }, ["Invalid status.completionTime"]],
    [
      "complete without the criteria",
      { "status.conditions": [complete], "status.completionTime": time },
      ["Invalid status.conditions"],
    ],
    [
      "complete and failed",
      { "status.conditions": [met, complete, target, failed], "status.completionTime": time },
      Array(4).fill("Invalid status.conditions"),
    ],
    ["failed without target", { "status.conditions": [failed] }, ["Invalid status.conditions"]],
    ["fewer failures", { "status.failed": 0 }, ["Invalid status.failed"]],
    ["fewer successes", { "status.succeeded": 0 }, ["Invalid status.succeeded"]],
    ["no start", { "status.startTime": undefined }, ["Required status.startTime"]],
    ["more ready than active", { "status.ready": 2 }, ["Invalid status.ready"]],
    ["indexes", { "status.completedIndexes": "0" }, ["Invalid status.completedIndexes"]],
    [
      "an uncounted pod twice",
      { "status.uncountedTerminatedPods": { succeeded: ["a"], failed: ["a", ""] } },
      [
        "Duplicate status.uncountedTerminatedPods.failed[0]",
        "Invalid status.uncountedTerminatedPods.failed[1]",
      ],
    ],
  ],
  { subresource: "status" },
);

const cronJobs = registrationOf("batch", "cronjobs");
const cronJob = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { ...metadata, name: "c" },
  spec: { schedule: "*/5 * * * *", jobTemplate: { spec } },
};
testCreate(cronJobs, cronJob, [
  ["as it stands", {}],
  ["no schedule", { "spec.schedule": "" }, ["Required spec.schedule"]],
  ["not five fields", { "spec.schedule": "* * *" }, ["Invalid spec.schedule"]],
  ["a zone in the schedule", { "spec.schedule": "TZ=UTC 0 * * * *" }, ["Invalid spec.schedule"]],
  ["a zone", { "spec.timeZone": "Europe/Berlin" }],
  ["an unknown zone", { "spec.timeZone": "Europe/Atlantis" }, ["Invalid spec.timeZone"]],
  ["an empty zone", { "spec.timeZone": "" }, ["Invalid spec.timeZone"]],
  ["the server's zone", { "spec.timeZone": "Local" }, ["Invalid spec.timeZone"]],
  ["unknown policy", { "spec.concurrencyPolicy": "x" }, ["NotSupported spec.concurrencyPolicy"]],
  [
    "a selector",
    { "spec.jobTemplate.spec.selector": { matchLabels: { a: "b" } } },
    ["Invalid spec.jobTemplate.spec.selector"],
  ],
  [
    "negative limits",
    { "spec.successfulJobsHistoryLimit": -1, "spec.failedJobsHistoryLimit": -1 },
    ["Invalid spec.successfulJobsHistoryLimit", "Invalid spec.failedJobsHistoryLimit"],
  ],
  ["a long name", { "metadata.name": "a".repeat(53) }, ["Invalid metadata.name"]],
]);
testUpdate(cronJobs, changed(cronJob, { "spec.schedule": "TZ=UTC 0 * * * *" }), [
  ["an old zone may stay", { "spec.suspend": true }],
  ["but not beside the field", { "spec.timeZone": "UTC" }, ["Invalid spec.schedule"]],
]);

const schedules: [string, string?][] = [
  ["* * * * *"],
  ["0-59/7 ? 1,15 jan-DEC mon"],
  ["5/15 * * * *"],
  ["@hourly"],
  ["@every 1h30m"],
  ["", "empty spec string"],
  ["* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["5-2 * * * *", "beginning of range (5) beyond end of range (2): 5-2"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["*/2/3 * * * *", "too many slashes: */2/3"],
  ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ["* * * * mon-7", "end of range (7) above maximum (6): mon-7"],
  ["@never", "unrecognized descriptor: @never"],
  ["@every x", 'failed to parse duration @every x: time: invalid duration "x"'],
  ["@every 5", 'failed to parse duration @every 5: time: missing unit in duration "5"'],
  ["TZ=Nowhere * * * * *", "provided bad location Nowhere: unknown time zone Nowhere"],
];
for (const [text, problem] of schedules) {
  test(`schedule ${JSON.stringify(text)}`, () => {
    if (problem === undefined) checkSchedule(text);
    else assert.throws(() => checkSchedule(text), new CronError(problem));
  });
}
