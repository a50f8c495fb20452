// Question: what does one RBAC decision cost with 10,000 bindings, and what does a change cost?
// Method: the median of rounds in one process, after warm-up. Budget: 2 us for a typical decision.
import type { AuthorizationAttributes } from "../../src/authorization/authorizer.ts";
import { RbacIndex } from "../../src/authorization/rbac/index.ts";
import { rbacAuthorizer } from "../../src/authorization/rbac/rbac.ts";
import { rbacBootstrapObjects } from "../../src/registry/rbac/bootstrap.ts";
import type { UserInfo } from "../../src/request/user-info.ts";

const BINDINGS = 10_000;
const index = new RbacIndex();
const bootstrap = rbacBootstrapObjects();
for (const role of bootstrap.clusterRoles) index.setClusterRole(role as never);
for (const binding of bootstrap.clusterRoleBindings) index.setBinding(binding as never);
for (let i = 0; i < 500; i++) {
  const rules = [
    {
      apiGroups: ["", "apps"],
      resources: ["pods", "deployments"],
      verbs: ["get", "list", "watch"],
    },
    { apiGroups: [""], resources: ["configmaps"], resourceNames: [`cm-${i}`], verbs: ["get"] },
  ];
  index.setRole({ metadata: { namespace: `ns-${i}`, name: "app" }, rules });
}
const bindingOf = (i: number) => ({
  metadata: { namespace: `ns-${i % 500}`, name: `binding-${i}` },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "app" },
  subjects: [{ kind: "ServiceAccount", name: `sa-${i}`, namespace: `ns-${i % 500}` }],
});
for (let i = 0; i < BINDINGS; i++) index.setBinding(bindingOf(i));
const authorizer = rbacAuthorizer(index);

const account = (i: number): UserInfo => ({
  name: `system:serviceaccount:ns-${i % 500}:sa-${i}`,
  uid: "",
  groups: [
    "system:serviceaccounts",
    `system:serviceaccounts:ns-${i % 500}`,
    "system:authenticated",
  ],
  extra: {},
});
const asking = (user: UserInfo, verb: string, resource: string, namespace: string, name = "") =>
  ({
    user,
    verb,
    resourceRequest: true,
    apiGroup: "",
    apiVersion: "v1",
    namespace,
    resource,
    subresource: "",
    name,
    path: "",
  }) satisfies AuthorizationAttributes;

function measure(name: string, calls: number, run: (i: number) => unknown): void {
  for (let i = 0; i < calls; i++) run(i);
  const rounds: number[] = [];
  for (let round = 0; round < 21; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) run(i);
    rounds.push(Number(process.hrtime.bigint() - start) / calls / 1000);
  }
  rounds.sort((a, b) => a - b);
  console.log(`${name.padEnd(52)} ${(rounds[10] ?? 0).toFixed(3).padStart(9)} us`);
}

const users = Array.from({ length: 64 }, (_, i) => account(i));
const pick = (i: number) => users[i % users.length] as UserInfo;
const controller: UserInfo = {
  name: "system:kube-controller-manager",
  uid: "",
  groups: ["system:authenticated"],
  extra: {},
};
measure("allow, asked before", 20_000, (i) =>
  authorizer.authorize(asking(pick(i), "list", "pods", `ns-${i % 64}`)),
);
measure("allow, a new object name each time", 20_000, (i) =>
  authorizer.authorize(asking(pick(i), "get", "pods", `ns-${i % 64}`, `pod-${i}`)),
);
measure("deny, a new object name each time", 20_000, (i) =>
  authorizer.authorize(asking(pick(i), "delete", "secrets", `ns-${i % 64}`, `s-${i}`)),
);
measure("allow, controller manager, new names", 20_000, (i) =>
  authorizer.authorize(asking(controller, "update", "endpoints", `ns-${i % 500}`, `e-${i}`)),
);
measure("allow, a user never seen before", 5_000, (i) =>
  authorizer.authorize(asking(account(i), "list", "pods", `ns-${i % 500}`)),
);
measure("one binding replaced", 5_000, (i) => index.setBinding(bindingOf(i)));
measure("one binding replaced, then a decision", 5_000, (i) => {
  index.setBinding(bindingOf(i));
  return authorizer.authorize(asking(pick(i), "list", "pods", `ns-${i % 64}`));
});
