/**
 * The FlowSchemas and PriorityLevelConfigurations every cluster starts with.
 * Upstream: apiserver/pkg/apis/flowcontrol/bootstrap/default.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";

const API_VERSION = "flowcontrol.apiserver.k8s.io/v1";
const annotations = { "apf.kubernetes.io/autoupdate-spec": "true" };
const SYSTEM = "kube-system";

const allResources = {
  verbs: ["*"],
  apiGroups: ["*"],
  resources: ["*"],
  clusterScope: true,
  namespaces: ["*"],
};
const allPaths = { verbs: ["*"], nonResourceURLs: ["*"] };

const group = (name: string) => ({ kind: "Group", group: { name } });
const user = (name: string) => ({ kind: "User", user: { name } });
const account = (namespace: string, name: string) => ({
  kind: "ServiceAccount",
  serviceAccount: { namespace, name },
});
const everyone = [group("system:unauthenticated"), group("system:authenticated")];

interface Limited {
  readonly shares: number;
  readonly lendablePercent?: number;
  /** Queues, hand size, queue length; absent: requests over the limit are rejected. */
  readonly queuing?: readonly [number, number, number];
}

function limited(name: string, { shares, lendablePercent, queuing }: Limited): KubeObject {
  const [queues, handSize, queueLengthLimit] = queuing ?? [];
  const limitResponse =
    queuing === undefined
      ? { type: "Reject" }
      : { type: "Queue", queuing: { queues, handSize, queueLengthLimit } };
  const spec = {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: shares,
      limitResponse,
      lendablePercent: lendablePercent ?? 0,
    },
  };
  return levelObject(name, spec);
}

function levelObject(name: string, spec: unknown): KubeObject {
  const kind = "PriorityLevelConfiguration";
  return { apiVersion: API_VERSION, kind, metadata: { name, annotations }, spec } as KubeObject;
}

export const priorityLevels: readonly KubeObject[] = [
  levelObject("exempt", {
    type: "Exempt",
    exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 },
  }),
  limited("catch-all", { shares: 5 }),
  limited("system", { shares: 30, lendablePercent: 33, queuing: [64, 6, 50] }),
  limited("node-high", { shares: 40, lendablePercent: 25, queuing: [64, 6, 50] }),
  limited("leader-election", { shares: 10, queuing: [16, 4, 50] }),
  limited("workload-high", { shares: 40, lendablePercent: 50, queuing: [128, 6, 50] }),
  limited("workload-low", { shares: 100, lendablePercent: 90, queuing: [128, 6, 50] }),
  limited("global-default", { shares: 20, lendablePercent: 50, queuing: [128, 6, 50] }),
];

interface Flow {
  readonly level: string;
  readonly precedence: number;
  readonly by?: "ByUser" | "ByNamespace";
  readonly subjects: readonly unknown[];
  readonly resourceRules?: readonly unknown[];
  readonly nonResourceRules?: readonly unknown[];
}

function flow(name: string, { level, precedence, by, ...rule }: Flow): KubeObject {
  const matchesAll = rule.resourceRules === undefined && rule.nonResourceRules === undefined;
  const rules = matchesAll
    ? { subjects: rule.subjects, resourceRules: [allResources], nonResourceRules: [allPaths] }
    : rule;
  const spec = {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: precedence,
    ...(by === undefined ? {} : { distinguisherMethod: { type: by } }),
    rules: [rules],
  };
  const metadata = { name, annotations };
  return { apiVersion: API_VERSION, kind: "FlowSchema", metadata, spec } as KubeObject;
}

const leases = {
  verbs: ["get", "create", "update"],
  apiGroups: ["coordination.k8s.io"],
  resources: ["leases"],
  namespaces: ["*"],
};
const kubeSystemAccounts = account(SYSTEM, "*");

export const flowSchemas: readonly KubeObject[] = [
  flow("exempt", { level: "exempt", precedence: 1, subjects: [group("system:masters")] }),
  flow("probes", {
    level: "exempt",
    precedence: 2,
    subjects: everyone,
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
  }),
  flow("system-leader-election", {
    level: "leader-election",
    precedence: 100,
    by: "ByUser",
    subjects: [
      user("system:kube-controller-manager"),
      user("system:kube-scheduler"),
      kubeSystemAccounts,
    ],
    resourceRules: [leases],
  }),
  flow("endpoint-controller", {
    level: "workload-high",
    precedence: 150,
    by: "ByUser",
    subjects: [
      user("system:kube-controller-manager"),
      account(SYSTEM, "endpoint-controller"),
      account(SYSTEM, "endpointslicemirroring-controller"),
    ],
    resourceRules: [
      {
        verbs: ["get", "create", "update"],
        apiGroups: [""],
        resources: ["endpoints"],
        namespaces: ["*"],
      },
    ],
  }),
  flow("workload-leader-election", {
    level: "leader-election",
    precedence: 200,
    by: "ByUser",
    subjects: [kubeSystemAccounts],
    resourceRules: [leases],
  }),
  flow("system-node-high", {
    level: "node-high",
    precedence: 400,
    by: "ByUser",
    subjects: [group("system:nodes")],
    resourceRules: [
      {
        verbs: ["*"],
        apiGroups: [""],
        resources: ["nodes", "nodes/status"],
        clusterScope: true,
        namespaces: ["*"],
      },
      {
        verbs: ["*"],
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        namespaces: ["*"],
      },
    ],
  }),
  flow("system-nodes", {
    level: "system",
    precedence: 500,
    by: "ByUser",
    subjects: [group("system:nodes")],
  }),
  flow("kube-controller-manager", {
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: [user("system:kube-controller-manager")],
  }),
  flow("kube-scheduler", {
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: [user("system:kube-scheduler")],
  }),
  flow("kube-system-service-accounts", {
    level: "workload-high",
    precedence: 900,
    by: "ByNamespace",
    subjects: [kubeSystemAccounts],
  }),
  flow("service-accounts", {
    level: "workload-low",
    precedence: 9000,
    by: "ByUser",
    subjects: [group("system:serviceaccounts")],
  }),
  flow("global-default", {
    level: "global-default",
    precedence: 9900,
    by: "ByUser",
    subjects: everyone,
  }),
  flow("catch-all", {
    level: "catch-all",
    precedence: 10000,
    by: "ByUser",
    subjects: everyone,
  }),
];
