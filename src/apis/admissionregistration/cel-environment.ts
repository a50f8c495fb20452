/**
 * What expressions of webhooks and admission policies may name.
 * Upstream: apiserver/pkg/admission/plugin/cel/compile.go, pkg/cel/mutation.
 */
import { type CelCompilation, compileCel } from "../cel/compile.ts";
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from "../cel/library/authorizer.ts";
import {
  BOOL,
  type CelType,
  DYN,
  INT,
  listOf,
  mapOf,
  type ObjectType,
  objectType,
  STRING,
  TIMESTAMP,
} from "../cel/types.ts";

/** What is there besides object, oldObject, request and namespaceObject. */
export interface ExpressionScope {
  readonly params: boolean;
  readonly authorizer: boolean;
  /** The policy's own variables, by name, when it has any. */
  readonly variables?: ReadonlyMap<string, CelType>;
  /** Whether patch types may be made. */
  readonly patches?: boolean;
}

function strings(...names: readonly string[]): Record<string, CelType> {
  return Object.fromEntries(names.map((name) => [name, STRING]));
}

const kindType = objectType("kubernetes.GroupVersionKind", strings("group", "version", "kind"));
const resourceType = objectType(
  "kubernetes.GroupVersionResource",
  strings("group", "version", "resource"),
);

/** The variable `request`. */
export const REQUEST_TYPE = objectType("kubernetes.AdmissionRequest", {
  kind: kindType,
  resource: resourceType,
  requestKind: kindType,
  requestResource: resourceType,
  ...strings("subResource", "requestSubResource", "name", "namespace", "operation"),
  userInfo: objectType("kubernetes.UserInfo", {
    ...strings("username", "uid"),
    groups: listOf(STRING),
    extra: mapOf(STRING, listOf(STRING)),
  }),
  dryRun: BOOL,
  options: DYN,
});

/** The variable `namespaceObject`. */
export const NAMESPACE_TYPE = objectType("kubernetes.Namespace", {
  metadata: objectType("kubernetes.NamespaceMetadata", {
    ...strings("name", "generateName", "namespace", "UID", "resourceVersion"),
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    finalizers: listOf(STRING),
  }),
  spec: objectType("kubernetes.NamespaceSpec", { finalizers: listOf(STRING) }),
  status: objectType("kubernetes.NamespaceStatus", {
    conditions: listOf(
      objectType("kubernetes.NamespaceCondition", {
        ...strings("status", "type", "message", "reason"),
        lastTransitionTime: TIMESTAMP,
      }),
    ),
    phase: STRING,
  }),
});

const JSON_PATCH_TYPE = objectType("JSONPatch", {
  ...strings("op", "path", "from"),
  value: DYN,
});

/** The messages a mutation makes: JSONPatch, Object, and Object.a.b for its fields. */
function patchMessage(name: string): ObjectType | undefined {
  if (name === "JSONPatch") return JSON_PATCH_TYPE;
  if (name !== "Object" && !name.startsWith("Object.")) return undefined;
  return { kind: "object", name, field: (property) => ({ type: DYN, property }) };
}

/** Compiles an expression of a policy or webhook; never throws. */
export function compileExpression(text: string, scope: ExpressionScope): CelCompilation {
  const variables = new Map<string, CelType>([
    ["object", DYN],
    ["oldObject", DYN],
    ["namespaceObject", NAMESPACE_TYPE],
    ["request", REQUEST_TYPE],
  ]);
  if (scope.params) variables.set("params", DYN);
  if (scope.authorizer) {
    variables.set("authorizer", AUTHORIZER_TYPE);
    variables.set("authorizer.requestResource", RESOURCE_CHECK_TYPE);
  }
  if (scope.variables !== undefined) {
    variables.set(
      "variables",
      objectType("kubernetes.variables", Object.fromEntries(scope.variables)),
    );
  }
  return compileCel(text, scope.patches ? { variables, message: patchMessage } : { variables });
}
