import { registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const GROUP = "admissionregistration.k8s.io";
const base = (kind: string, rest: object) => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { name: "x" },
  ...rest,
});
const rule = { operations: ["CREATE"], apiGroups: ["a"], apiVersions: ["v1"], resources: ["r"] };
const webhook = {
  name: "w.example.com",
  clientConfig: { url: "https://example.com/x" },
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  rules: [rule],
};
const hooks = registrationOf(GROUP, "validatingwebhookconfigurations");
const configuration = base("ValidatingWebhookConfiguration", { webhooks: [webhook] });
const HOOK = "webhooks[0]";
testCreate(hooks, configuration, [
  ["a webhook", {}],
  ["none", { webhooks: [] }],
  ["a short name", { "webhooks[0].name": "w.x" }, [`Invalid ${HOOK}.name`]],
  ["the same name twice", { webhooks: [webhook, webhook] }, ["Duplicate webhooks[1].name"]],
  [
    "some side effects",
    { "webhooks[0].sideEffects": "Some" },
    [`NotSupported ${HOOK}.sideEffects`],
  ],
  ["a long timeout", { "webhooks[0].timeoutSeconds": 31 }, [`Invalid ${HOOK}.timeoutSeconds`]],
  [
    "plain http",
    { "webhooks[0].clientConfig.url": "http://a" },
    [`Invalid ${HOOK}.clientConfig.url`],
  ],
  [
    "a user, a query and a fragment",
    { "webhooks[0].clientConfig.url": "https://u@a/?q#f" },
    [
      `Invalid ${HOOK}.clientConfig.url`,
      `Invalid ${HOOK}.clientConfig.url`,
      `Invalid ${HOOK}.clientConfig.url`,
    ],
  ],
  [
    "a URL and a service",
    { "webhooks[0].clientConfig.service": { name: "s", namespace: "n" } },
    [`Required ${HOOK}.clientConfig`],
  ],
  [
    "a service's path",
    {
      "webhooks[0].clientConfig": { service: { name: "s", namespace: "n", path: "/a//b" } },
    },
    [`Invalid ${HOOK}.clientConfig.service.path`],
  ],
  [
    "a service's missing namespace is told of its name",
    {
      "webhooks[0].clientConfig": { service: { name: "s" } },
    },
    [`Required ${HOOK}.clientConfig.service.name`],
  ],
  [
    "no known review version",
    { "webhooks[0].admissionReviewVersions": ["v2"] },
    [`Invalid ${HOOK}.admissionReviewVersions`],
  ],
  [
    "all operations and one",
    { "webhooks[0].rules[0].operations": ["*", "CREATE"] },
    [`Invalid ${HOOK}.rules[0].operations`],
  ],
  [
    "overlapping subresources",
    { "webhooks[0].rules[0].resources": ["a/*", "a/x"] },
    [`Invalid ${HOOK}.rules[0].resources[1]`],
  ],
  [
    "a condition",
    {
      "webhooks[0].matchConditions": [{ name: "c", expression: "request.operation == 'CREATE'" }],
    },
  ],
  [
    "a condition that is no bool",
    {
      "webhooks[0].matchConditions": [{ name: "c", expression: "1" }],
    },
    [`Invalid ${HOOK}.matchConditions[0].expression`],
  ],
  [
    "a condition twice",
    {
      "webhooks[0].matchConditions": [
        { name: "c", expression: "true" },
        { name: "c", expression: "true" },
      ],
    },
    [`Duplicate ${HOOK}.matchConditions[1].name`],
  ],
  [
    "too many conditions",
    {
      "webhooks[0].matchConditions": Array.from({ length: 65 }, (_, i) => ({
        name: `c${i}`,
        expression: "true",
      })),
    },
    [`TooMany ${HOOK}.matchConditions`],
  ],
]);
testUpdate(
  hooks,
  base("ValidatingWebhookConfiguration", {
    webhooks: [{ ...webhook, sideEffects: "Unknown", admissionReviewVersions: ["v2"] }],
  }),
  [
    ["what is stored already may stay", { "webhooks[0].timeoutSeconds": 5 }],
    [
      "and the rest is checked",
      { "webhooks[0].timeoutSeconds": 0 },
      [`Invalid ${HOOK}.timeoutSeconds`],
    ],
  ],
);

const policies = registrationOf(GROUP, "validatingadmissionpolicies");
testCreate(
  policies,
  base("ValidatingAdmissionPolicy", {
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: "object.spec.replicas < 5" }],
    },
  }),
  [
    ["a validation", {}],
    [
      "a field of the request",
      { "spec.validations[0].expression": "request.nope == 1" },
      ["Invalid spec.validations[0].expression"],
    ],
    [
      "parameters without a kind",
      { "spec.validations[0].expression": "params.x == 1" },
      ["Invalid spec.validations[0].expression"],
    ],
    [
      "parameters",
      {
        "spec.paramKind": { apiVersion: "a.b/v1", kind: "P" },
        "spec.validations[0].expression": "params.x == 1",
      },
    ],
    [
      "a bad kind",
      { "spec.paramKind": { apiVersion: "a/b/c", kind: "P" } },
      ["Invalid spec.paramKind.apiVersion"],
    ],
    [
      "variables in turn",
      {
        "spec.variables": [
          { name: "a", expression: "1" },
          { name: "b", expression: "variables.a + 1" },
        ],
        "spec.validations[0].expression": "variables.b > variables.a",
      },
    ],
    [
      "a variable before its time",
      {
        "spec.variables": [
          { name: "b", expression: "variables.a" },
          { name: "a", expression: "1" },
        ],
      },
      ["Invalid spec.variables[0].expression"],
    ],
    [
      "a message in lines",
      { "spec.validations[0].message": "a\nb" },
      ["Invalid spec.validations[0].message"],
    ],
    [
      "a message expression",
      { "spec.validations[0].messageExpression": "1" },
      ["Invalid spec.validations[0].messageExpression"],
    ],
    [
      "a reason",
      { "spec.validations[0].reason": "x" },
      ["NotSupported spec.validations[0].reason"],
    ],
    [
      "an annotation",
      {
        "spec.auditAnnotations": [{ key: "k", valueExpression: "string(object.x)" }],
      },
    ],
    [
      "an annotation's key",
      { "spec.auditAnnotations": [{ key: "k k", valueExpression: "'x'" }] },
      ["Invalid spec.auditAnnotations[0].key"],
    ],
  ],
);

testCreate(
  registrationOf(GROUP, "validatingadmissionpolicybindings"),
  base("ValidatingAdmissionPolicyBinding", {
    spec: { policyName: "p", validationActions: ["Deny"] },
  }),
  [
    ["an action", {}],
    ["no action", { "spec.validationActions": [] }, ["Required spec.validationActions"]],
    [
      "denying and warning",
      { "spec.validationActions": ["Deny", "Warn"] },
      ["Invalid spec.validationActions"],
    ],
    ["a parameter", { "spec.paramRef": { name: "x", parameterNotFoundAction: "Deny" } }],
    [
      "a parameter by both",
      {
        "spec.paramRef": { name: "x", selector: {}, parameterNotFoundAction: "Deny" },
      },
      ["Forbidden spec.paramRef.name", "Forbidden spec.paramRef.selector"],
    ],
    [
      "no parameter",
      { "spec.paramRef": {} },
      ["Required spec.paramRef", "Required spec.paramRef.parameterNotFoundAction"],
    ],
  ],
);

testCreate(
  registrationOf(GROUP, "mutatingadmissionpolicies"),
  base("MutatingAdmissionPolicy", {
    spec: {
      matchConstraints: { resourceRules: [rule] },
      reinvocationPolicy: "Never",
      mutations: [
        {
          patchType: "ApplyConfiguration",
          applyConfiguration: { expression: "Object{spec: Object.spec{}}" },
        },
      ],
    },
  }),
  [
    ["a mutation", {}],
    [
      "deletes",
      { "spec.matchConstraints.resourceRules[0].operations": ["DELETE"] },
      ["NotSupported spec.matchConstraints.resourceRules[0].operations[0]"],
    ],
    ["no mutation", { "spec.mutations": [] }, ["Required spec.mutations"]],
    [
      "another patch",
      { "spec.mutations[0].patchType": "JSONPatch" },
      ["Required spec.mutations[0].jsonPatch", "Invalid spec.mutations[0].applyConfiguration"],
    ],
    [
      "no reinvocation policy",
      { "spec.reinvocationPolicy": undefined },
      ["Required spec.reinvocationPolicy"],
    ],
  ],
);
