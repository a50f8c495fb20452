/**
 * What a node may do to pods: mirror its static pods, tell of those it runs, and end them. Each
 * function says why not, or undefined. Upstream: plugin/pkg/admission/noderestriction.
 */
import { isDeepStrictEqual } from "node:util";
import { notFound, type StatusError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { Node, Pod, PodSpec } from "../../apis/core/v1/types.ts";
import type { Attributes, DeepReadonly, Listers, MayUser } from "../plugin.ts";
import { namesConfigMaps, namesSecrets } from "../pod-references.ts";

export interface NodeRequest {
  readonly attributes: DeepReadonly<Attributes>;
  /** The name of the node that asks. */
  readonly node: string;
}
/** What the rules need to know of the cluster. */
export interface NodeRules {
  readonly listers: Listers;
  readonly gate: (name: string) => boolean;
  readonly mayUser: MayUser;
  /** CN of a PEM certificate request; undefined when it can not be read. */
  readonly commonNameOf: (certificateRequest: string) => string | undefined;
}
/** A text to refuse with, a Status of its own, or nothing against it. */
export type Refusal = string | StatusError | undefined;

const PODS = { group: "", resource: "pods" };
const NODES = { group: "", resource: "nodes" };
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";
const quoted = (text: string) => JSON.stringify(text);

export async function nodeMayWritePod(request: NodeRequest, rules: NodeRules): Promise<Refusal> {
  const { attributes, node } = request;
  switch (attributes.operation) {
    case "CREATE":
      return mirrorPodProblem(attributes.object as DeepReadonly<Pod>, node, rules.listers);
    case "DELETE": {
      const { namespace, name } = attributes;
      const pod = await findPod(rules.listers, namespace, name);
      if (pod === undefined) return notFound(PODS, name);
      if (pod.spec?.nodeName === node) return undefined;
      return `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`;
    }
    default:
      return `unexpected operation ${quoted(attributes.operation)}, node ${quoted(node)} can only create and delete mirror pods`;
  }
}

/** From the cache, or the store when the cache has not seen it yet. */
export async function findPod(
  listers: Listers,
  namespace: string,
  name: string,
): Promise<Pod | undefined> {
  return (
    (await listers.get<Pod>(PODS, namespace, name)) ??
    (await listers.getFresh<Pod>(PODS, namespace, name))
  );
}

async function mirrorPodProblem(
  pod: DeepReadonly<Pod>,
  node: string,
  listers: Listers,
): Promise<Refusal> {
  const self = quoted(node);
  if (pod.metadata?.annotations?.[MIRROR_ANNOTATION] === undefined) {
    return `pod does not have ${quoted(MIRROR_ANNOTATION)} annotation, node ${self} can only create mirror pods`;
  }
  if (pod.spec?.nodeName !== node) {
    return `node ${self} can only create pods with spec.nodeName set to itself`;
  }
  return (await ownerProblem(pod, node, listers)) ?? referenceProblem(pod.spec ?? {}, self);
}

async function ownerProblem(
  { metadata }: DeepReadonly<KubeObject>,
  node: string,
  listers: Listers,
): Promise<Refusal> {
  const self = quoted(node);
  const [owner, ...others] = metadata?.ownerReferences ?? [];
  if (others.length > 0) {
    return `node ${self} can only create pods with a single owner reference set to itself`;
  }
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) {
    return `node ${self} can only create pods with an owner reference set to itself`;
  }
  if (!owner.controller) {
    return `node ${self} can only create pods with a controller owner reference set to itself`;
  }
  if (owner.blockOwnerDeletion) {
    return `node ${self} must not set blockOwnerDeletion on an owner reference`;
  }
  const found = await listers.get<Node>(NODES, "", node);
  if (found === undefined) return notFound(NODES, node);
  const uid = found.metadata?.uid ?? "";
  if (owner.uid === uid) return undefined;
  return `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
}

/** A node that could name any secret in a pod of its own could read any secret. */
function referenceProblem(spec: DeepReadonly<PodSpec>, self: string): string | undefined {
  const refuse = (what: string) => `node ${self} can not create pods that reference ${what}`;
  if (spec.serviceAccountName) return refuse("a service account");
  if (namesSecrets(spec)) return refuse("secrets");
  if (namesConfigMaps(spec)) return refuse("configmaps");
  const sources = (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  if (sources.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined)) {
    return refuse("clustertrustbundles");
  }
  if (sources.some(({ podCertificate }) => podCertificate !== undefined)) {
    return refuse("podcertificates");
  }
  if ((spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim !== undefined)) {
    return refuse("persistentvolumeclaims");
  }
  return (spec.resourceClaims ?? []).length > 0 ? refuse("resourceclaims") : undefined;
}

export function nodeMayWritePodStatus({ attributes, node }: NodeRequest): Refusal {
  const { operation } = attributes;
  if (operation !== "UPDATE") return `unexpected operation ${quoted(operation)}`;
  const pod = attributes.object as DeepReadonly<Pod>;
  const old = (attributes.oldObject ?? {}) as DeepReadonly<Pod>;
  const self = quoted(node);
  if (old.spec?.nodeName !== node) {
    return `node ${self} can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!isDeepStrictEqual(pod.metadata?.labels ?? {}, old.metadata?.labels ?? {})) {
    return `node ${self} cannot update labels through pod status`;
  }
  const claimsOf = ({ status }: DeepReadonly<Pod>) =>
    (status?.resourceClaimStatuses ?? []).map((one) => [one.name, one.resourceClaimName]);
  if (!isDeepStrictEqual(claimsOf(pod), claimsOf(old))) {
    return `node ${self} cannot update resource claim statues`;
  }
  const extended = ({ status }: DeepReadonly<Pod>) => status?.extendedResourceClaimStatus;
  if (isDeepStrictEqual(extended(pod), extended(old))) return undefined;
  return `node ${self} cannot update extended resource claim status`;
}

export async function nodeMayEvict(request: NodeRequest, rules: NodeRules): Promise<Refusal> {
  const { attributes, node } = request;
  const { operation, namespace, object } = attributes;
  if (operation !== "CREATE") return `unexpected operation ${operation}`;
  const name = attributes.name || object.metadata?.name || "";
  if (name === "") return "could not determine pod from request data";
  const pod = await findPod(rules.listers, namespace, name);
  if (pod === undefined) return notFound(PODS, name);
  if (pod.spec?.nodeName === node) return undefined;
  return `node ${node} can only evict pods with spec.nodeName set to itself`;
}
