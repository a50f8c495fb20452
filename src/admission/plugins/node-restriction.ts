/**
 * A kubelet that was taken over is held to its own node: to the objects that are the node's, and to
 * labels that steer nobody else's pods there. Upstream: plugin/pkg/admission/noderestriction.
 */
import type { StatusError } from "../../apimachinery/api/errors.ts";
import { deny } from "../errors.ts";
import { nodeMayWriteNode } from "../node-restriction/nodes.ts";
import {
  nodeMayRequestCertificate,
  nodeMayRequestPodCertificate,
  nodeMayRequestToken,
  nodeMayWriteClaimStatus,
  nodeMayWriteLease,
  nodeMayWriteOwnName,
  nodeMayWriteResourceSlice,
} from "../node-restriction/others.ts";
import {
  type NodeRequest,
  type NodeRules,
  nodeMayEvict,
  nodeMayWritePod,
  nodeMayWritePodStatus,
} from "../node-restriction/pods.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly } from "../plugin.ts";

const NODE_PREFIX = "system:node:";
const NODES_GROUP = "system:nodes";

/** The node a user is; "" for a nameless one, undefined for who is no node. */
export function nodeNameOf({ name, groups }: Attributes["user"]): string | undefined {
  if (!name.startsWith(NODE_PREFIX) || !groups.includes(NODES_GROUP)) return undefined;
  return name.slice(NODE_PREFIX.length);
}

export function nodeRestriction(rules: NodeRules): AdmissionPlugin {
  const check = async (attributes: DeepReadonly<Attributes>) => {
    const node = nodeNameOf(attributes.user as Attributes["user"]) ?? "";
    if (node === "") {
      const user = JSON.stringify(attributes.user.name);
      throw deny(attributes, `could not determine node from user ${user}`);
    }
    const refusal = await judge({ attributes, node }, rules);
    if (refusal === undefined) return;
    throw typeof refusal === "string" ? deny(attributes, refusal) : refusal;
  };
  return {
    name: "NodeRestriction",

    handles({ operation, user }) {
      return operation !== "CONNECT" && nodeNameOf(user as Attributes["user"]) !== undefined;
    },

    admit: (attributes) => check(attributes as DeepReadonly<Attributes>),

    // What is deleted is seen only now.
    async validate(attributes) {
      if (attributes.operation === "DELETE") await check(attributes);
    },
  };
}

type Refusal = string | StatusError | undefined;

function judge(request: NodeRequest, rules: NodeRules): Refusal | Promise<Refusal> {
  const { resource, subresource } = request.attributes;
  switch (`${resource.group}/${resource.resource}`) {
    case "/pods":
      return judgePod(request, rules);
    case "/nodes":
      return nodeMayWriteNode(request);
    case "/persistentvolumeclaims":
      if (subresource === "status") return nodeMayWriteClaimStatus(request);
      return "may only update PVC status";
    case "/serviceaccounts":
      return nodeMayRequestToken(request, rules);
    case "coordination.k8s.io/leases":
      return nodeMayWriteLease(request);
    case "storage.k8s.io/csinodes":
      return nodeMayWriteOwnName(request, "CSINode");
    case "resource.k8s.io/resourceslices":
      return nodeMayWriteResourceSlice(request);
    case "certificates.k8s.io/certificatesigningrequests":
      return nodeMayRequestCertificate(request, rules);
    case "certificates.k8s.io/podcertificaterequests":
      return nodeMayRequestPodCertificate(request, rules);
    default:
      return undefined;
  }
}

function judgePod(request: NodeRequest, rules: NodeRules): Refusal | Promise<Refusal> {
  const { subresource } = request.attributes;
  if (subresource === "") return nodeMayWritePod(request, rules);
  if (subresource === "status") return nodeMayWritePodStatus(request);
  if (subresource === "eviction") return nodeMayEvict(request, rules);
  return `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`;
}
