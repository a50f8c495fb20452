import { registrationOf, testCreate } from "../verdicts.ts";

const GROUP = "flowcontrol.apiserver.k8s.io";
const base = (kind: string, name: string, spec: object) => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { name },
  spec,
});
const everything = {
  resourceRules: [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] },
  ],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
};
const schemas = registrationOf(GROUP, "flowschemas");
const rules = [{ subjects: [{ kind: "User", user: { name: "u" } }], ...everything }];
const RULE = "spec.rules[0]";

testCreate(
  schemas,
  base("FlowSchema", "fs", { priorityLevelConfiguration: { name: "pl" }, rules }),
  [
    ["all requests of a user", {}],
    [
      "no level",
      { "spec.priorityLevelConfiguration": {} },
      ["Required spec.priorityLevelConfiguration.name"],
    ],
    ["the first precedence", { "spec.matchingPrecedence": 1 }, ["Invalid spec.matchingPrecedence"]],
    ["beyond the last", { "spec.matchingPrecedence": 10001 }, ["Invalid spec.matchingPrecedence"]],
    ["a negative one", { "spec.matchingPrecedence": -1 }, ["Invalid spec.matchingPrecedence"]],
    [
      "a distinguisher",
      { "spec.distinguisherMethod": { type: "x" } },
      ["NotSupported spec.distinguisherMethod.type"],
    ],
    ["no subjects", { "spec.rules[0].subjects": [] }, [`Required ${RULE}.subjects`]],
    [
      "a user and a group",
      { "spec.rules[0].subjects[0].group": { name: "g" } },
      [`Forbidden ${RULE}.subjects[0].group`],
    ],
    [
      "no user",
      { "spec.rules[0].subjects[0].user": undefined },
      [`Required ${RULE}.subjects[0].user`],
    ],
    [
      "a verb",
      { "spec.rules[0].nonResourceRules[0].verbs": ["fly"] },
      [`NotSupported ${RULE}.nonResourceRules[0].verbs`],
    ],
    [
      "a wildcard and more",
      { "spec.rules[0].resourceRules[0].verbs": ["*", "get"] },
      [`Invalid ${RULE}.resourceRules[0].verbs`],
    ],
    [
      "a URL",
      { "spec.rules[0].nonResourceRules[0].nonResourceURLs": ["a", "/a//b", "/a*"] },
      [
        `Invalid ${RULE}.nonResourceRules[0].nonResourceURLs[0]`,
        `Invalid ${RULE}.nonResourceRules[0].nonResourceURLs[1]`,
        `Invalid ${RULE}.nonResourceRules[0].nonResourceURLs[2]`,
      ],
    ],
    [
      "no scope",
      {
        "spec.rules[0].resourceRules[0].clusterScope": false,
        "spec.rules[0].resourceRules[0].namespaces": [],
      },
      [`Required ${RULE}.resourceRules[0].namespaces`],
    ],
  ],
);
testCreate(
  schemas,
  base("FlowSchema", "exempt", {
    priorityLevelConfiguration: { name: "exempt" },
    matchingPrecedence: 1,
    rules: [{ subjects: [{ kind: "Group", group: { name: "system:masters" } }], ...everything }],
  }),
  [
    ["the exempt schema", {}],
    [
      "the exempt schema, changed",
      { "spec.rules[0].subjects[0].group.name": "x" },
      ["Invalid spec"],
    ],
  ],
);

const levels = registrationOf(GROUP, "prioritylevelconfigurations");
const queuing = { queues: 64, handSize: 8, queueLengthLimit: 50 };
testCreate(
  levels,
  base("PriorityLevelConfiguration", "pl", {
    type: "Limited",
    limited: { limitResponse: { type: "Queue", queuing } },
  }),
  [
    ["queues", {}],
    ["no type", { "spec.type": undefined }, ["Required spec.type"]],
    ["exempt", { "spec.type": "Exempt" }, ["Invalid spec.type", "Forbidden spec.limited"]],
    ["no limit", { "spec.limited": undefined }, ["Required spec.limited"]],
    ["zero shares", { "spec.limited.nominalConcurrencyShares": 0 }],
    [
      "negative shares",
      { "spec.limited.nominalConcurrencyShares": -1 },
      ["Invalid spec.limited.nominalConcurrencyShares"],
    ],
    [
      "lending too much",
      { "spec.limited.lendablePercent": 101 },
      ["Invalid spec.limited.lendablePercent"],
    ],
    [
      "rejecting with queues",
      { "spec.limited.limitResponse.type": "Reject" },
      ["Forbidden spec.limited.limitResponse.queuing"],
    ],
    [
      "a hand too large",
      { "spec.limited.limitResponse.queuing.handSize": 65 },
      ["Invalid spec.limited.limitResponse.queuing.handSize"],
    ],
    [
      "too much entropy",
      {
        "spec.limited.limitResponse.queuing": { ...queuing, queues: 512, handSize: 8 },
      },
      ["Invalid spec.limited.limitResponse.queuing.handSize"],
    ],
  ],
);
testCreate(levels, base("PriorityLevelConfiguration", "exempt", { type: "Exempt" }), [
  ["the exempt level", {}],
  ["the exempt level, lending", { "spec.exempt": { lendablePercent: 50 } }],
]);
