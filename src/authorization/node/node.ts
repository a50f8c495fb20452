/**
 * Kubelets: each may do what its own pods need and no more.
 * Upstream: plugin/pkg/auth/authorizer/node/node_authorizer.go.
 */
import type { PolicyRule } from "../../apis/rbac/v1/types.ts";
import type { UserInfo } from "../../request/user-info.ts";
import type {
  AuthorizationAttributes,
  AuthorizationResult,
  Authorizer,
  RuleResolver,
} from "../authorizer.ts";
import { compileRules } from "../rbac/rules.ts";
import type { NodeGraph } from "./graph.ts";
import type { VertexType } from "./references.ts";

const NODES_GROUP = "system:nodes";
const NODE_PREFIX = "system:node:";
const ALLOW: AuthorizationResult = { decision: "Allow", reason: "" };
const NO_OPINION: AuthorizationResult = { decision: "NoOpinion", reason: "" };
const no = (reason: string): AuthorizationResult => ({ decision: "NoOpinion", reason });

/** The node a user is; undefined for anyone else, "" for a member of the group with another name. */
export function nodeNameOf({ name, groups }: UserInfo): string | undefined {
  if (!groups.includes(NODES_GROUP)) return undefined;
  return name.startsWith(NODE_PREFIX) ? name.slice(NODE_PREFIX.length) : undefined;
}

type Attributes = AuthorizationAttributes;
type Rule = (node: string, attributes: Attributes) => AuthorizationResult;

/**
 * `graph` is asked for at the first request of a node, and waited for: a cluster without kubelets
 * never pays for it. `rules` are what every node may do.
 */
export function nodeAuthorizer(
  graph: () => Promise<NodeGraph>,
  rules: readonly PolicyRule[],
): Authorizer & RuleResolver {
  const compiled = compileRules(rules);
  let ready: NodeGraph | undefined;
  let table: ReadonlyMap<string, Rule> | undefined;
  const decide = (node: string, attributes: Attributes): AuthorizationResult => {
    const rule = attributes.resourceRequest
      ? table?.get(`${attributes.resource}.${attributes.apiGroup}`)
      : undefined;
    if (rule !== undefined) return rule(node, attributes);
    const { resource, subresource } = attributes;
    const combined = subresource === "" ? resource : `${resource}/${subresource}`;
    return compiled.allows({ ...attributes, resource: combined }) ? ALLOW : NO_OPINION;
  };
  return {
    name: "Node",
    authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return NO_OPINION;
      if (node === "") return no(`unknown node for user ${JSON.stringify(attributes.user.name)}`);
      if (ready !== undefined) return decide(node, attributes);
      return graph().then((loaded) => {
        ready = loaded;
        table ??= resourceRules(loaded);
        return decide(node, attributes);
      });
    },
    async rulesFor(user) {
      const isNode = nodeNameOf(user) !== undefined;
      return {
        resourceRules: [],
        nonResourceRules: [],
        incomplete: isNode,
        evaluationError: isNode ? "node authorizer does not support user rule resolution" : "",
      };
    },
  };
}

function resourceRules(graph: NodeGraph): ReadonlyMap<string, Rule> {
  const related =
    (type: VertexType): Rule =>
    (node, { namespace, name }) => {
      if (name === "") return no("No Object name found");
      return graph.reaches(node, type, namespace, name) ? ALLOW : unrelated(node);
    };
  return new Map<string, Rule>([
    ["secrets.", readNamespaced(related("secret"))],
    ["configmaps.", readNamespaced(related("configmap"))],
    ["persistentvolumeclaims.", claims(related("persistentvolumeclaim"))],
    [
      "persistentvolumes.",
      getOnly((node, { name }) => known(node, name, graph.reachesVolume(node, name))),
    ],
    ["resourceclaims.resource.k8s.io", getOnly(related("resourceclaim"))],
    [
      "volumeattachments.storage.k8s.io",
      getOnly((node, { name }) => known(node, name, graph.hasAttachment(node, name))),
    ],
    ["serviceaccounts.", createToken(related("serviceaccount"))],
    ["leases.coordination.k8s.io", lease],
    ["csinodes.storage.k8s.io", csiNode],
    ["resourceslices.resource.k8s.io", slices(graph)],
    ["nodes.", ownNode],
    ["pods.", pods(related("pod"))],
  ]);
}

function unrelated(node: string): AuthorizationResult {
  return no(`no relationship found between node '${node}' and this object`);
}
function known(node: string, name: string, isRelated: boolean): AuthorizationResult {
  if (name === "") return no("No Object name found");
  return isRelated ? ALLOW : unrelated(node);
}

function readNamespaced(then: Rule): Rule {
  return (node, attributes) => {
    const { verb, subresource, namespace } = attributes;
    if (verb !== "get" && verb !== "list" && verb !== "watch") {
      return no("can only read resources of this type");
    }
    if (subresource !== "") return no("cannot read subresource");
    if (namespace === "") return no("can only read namespaced object of this type");
    return then(node, attributes);
  };
}

function getOnly(then: Rule): Rule {
  return (node, attributes) => {
    if (attributes.verb !== "get") return no("can only get individual resources of this type");
    if (attributes.subresource !== "") return no("cannot get subresource");
    return then(node, attributes);
  };
}

function claims(then: Rule): Rule {
  const get = getOnly(then);
  return (node, attributes) => {
    if (attributes.subresource !== "status") return get(node, attributes);
    const { verb } = attributes;
    if (verb !== "update" && verb !== "patch") return no("can only get/update/patch this type");
    return then(node, attributes);
  };
}

function createToken(then: Rule): Rule {
  return (node, attributes) => {
    if (attributes.verb !== "create" || attributes.name === "") {
      return no("can only create tokens for individual service accounts");
    }
    if (attributes.subresource !== "token") {
      return no("can only create token subresource of serviceaccount");
    }
    return then(node, attributes);
  };
}

const OWN_OBJECT_VERBS = new Set(["get", "create", "update", "patch", "delete"]);

/** The name of a new object is not known here; the NodeRestriction plugin checks it. */
const lease: Rule = (node, { verb, namespace, name }) => {
  if (!OWN_OBJECT_VERBS.has(verb)) {
    return no("can only get, create, update, patch, or delete a node lease");
  }
  if (namespace !== "kube-node-lease") {
    return no('can only access leases in the "kube-node-lease" system namespace');
  }
  if (verb !== "create" && name !== node) {
    return no("can only access node lease with the same name as the requesting node");
  }
  return ALLOW;
};

const csiNode: Rule = (node, { verb, subresource, name }) => {
  if (!OWN_OBJECT_VERBS.has(verb)) {
    return no("can only get, create, update, patch, or delete a CSINode");
  }
  if (subresource !== "") return no("cannot authorize CSINode subresources");
  if (verb !== "create" && name !== node) {
    return no("can only access CSINode with the same name as the requesting node");
  }
  return ALLOW;
};

function slices(graph: NodeGraph): Rule {
  return (node, { verb, subresource, name, fieldSelector }) => {
    if (subresource !== "") return no("cannot authorize ResourceSlice subresources");
    switch (verb) {
      case "create":
        return ALLOW;
      case "get":
      case "update":
      case "patch":
      case "delete":
        return known(node, name, graph.hasSlice(node, name));
      case "watch":
      case "list":
      case "deletecollection": {
        const isOwn =
          selects(fieldSelector, "nodeName", node) || selects(fieldSelector, "spec.nodeName", node);
        if (isOwn) return ALLOW;
        return no(
          "can only list/watch/deletecollection resourceslices with nodeName field selector",
        );
      }
      default:
        return no(
          "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
        );
    }
  };
}

function selects(selector: Attributes["fieldSelector"], field: string, node: string): boolean {
  return (selector?.requirements ?? []).some(
    (one) => one.field === field && one.operator === "=" && one.value === node,
  );
}

const ownNode: Rule = (node, { verb, subresource, name }) => {
  if (subresource === "status") return verb === "update" || verb === "patch" ? ALLOW : NO_OPINION;
  if (subresource !== "") return NO_OPINION;
  if (verb === "create" || verb === "update" || verb === "patch") return ALLOW;
  if (verb !== "get" && verb !== "list" && verb !== "watch") return NO_OPINION;
  if (name === node) return ALLOW;
  return name === ""
    ? no(`node '${node}' cannot read all nodes, only its own Node object`)
    : no(`node '${node}' cannot read '${name}', only its own Node object`);
};

function pods(related: Rule): Rule {
  return (node, attributes) => {
    const { verb, subresource, name, fieldSelector } = attributes;
    if (subresource === "status") return verb === "update" || verb === "patch" ? ALLOW : NO_OPINION;
    if (subresource === "eviction") return verb === "create" ? ALLOW : NO_OPINION;
    if (subresource !== "") return NO_OPINION;
    if (verb === "create" || verb === "delete") return ALLOW;
    if (verb === "get") return related(node, attributes);
    if (verb !== "list" && verb !== "watch") return NO_OPINION;
    if (selects(fieldSelector, "spec.nodeName", node)) return ALLOW;
    if (name !== "") return related(node, attributes);
    return no("can only list/watch pods with spec.nodeName field selector");
  };
}
