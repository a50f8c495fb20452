/**
 * What a node may do to objects that are neither pods nor nodes.
 * Upstream: plugin/pkg/admission/noderestriction.
 */
import { isDeepStrictEqual } from "node:util";
import { notFound } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { TokenRequest } from "../../apis/authentication/v1/types.ts";
import type { CertificateSigningRequest } from "../../apis/certificates/v1/types.ts";
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ServiceAccount,
} from "../../apis/core/v1/types.ts";
import type { ResourceSlice } from "../../apis/resource/v1/types.ts";
import type { CSIDriver } from "../../apis/storage/v1/types.ts";
import type { DeepReadonly, Listers } from "../plugin.ts";
import { findPod, type NodeRequest, type NodeRules, type Refusal } from "./pods.ts";

const PODS = { group: "", resource: "pods" };
const LEASE_NAMESPACE = "kube-node-lease";
const KUBELET_SIGNERS = [
  "kubernetes.io/kubelet-serving",
  "kubernetes.io/kube-apiserver-client-kubelet",
];
const quoted = (text: string) => JSON.stringify(text);

export function nodeMayWriteClaimStatus({ attributes, node }: NodeRequest): Refusal {
  const { operation, object, oldObject } = attributes;
  if (operation !== "UPDATE") return `unexpected operation ${quoted(operation)}`;
  const kept = (claim: DeepReadonly<PersistentVolumeClaim>) => {
    const { resourceVersion, managedFields, ...metadata } = claim.metadata ?? {};
    const { capacity, conditions, allocatedResources, allocatedResourceStatuses, ...status } =
      claim.status ?? {};
    return { ...claim, metadata, status };
  };
  const before = kept((oldObject ?? {}) as DeepReadonly<PersistentVolumeClaim>);
  if (isDeepStrictEqual(kept(object as DeepReadonly<PersistentVolumeClaim>), before)) {
    return undefined;
  }
  return `node ${quoted(node)} is not allowed to update fields other than status.capacity and status.conditions`;
}

/** A token for a pod that runs there, and for an audience that the pod already has. */
export async function nodeMayRequestToken(
  request: NodeRequest,
  rules: NodeRules,
): Promise<Refusal> {
  const { attributes, node } = request;
  const { operation, subresource, namespace, object } = attributes;
  if (operation !== "CREATE" || subresource !== "token") return undefined;
  const { spec } = object as DeepReadonly<TokenRequest>;
  const ref = spec?.boundObjectRef;
  if (ref?.apiVersion !== "v1" || ref.kind !== "Pod" || !ref.name) {
    return "node requested token not bound to a pod";
  }
  if (!ref.uid) return "node requested token with a pod binding without a uid";
  const pod = await findPod(rules.listers, namespace, ref.name);
  if (pod === undefined) return notFound(PODS, ref.name);
  if (ref.uid !== pod.metadata?.uid) {
    return `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  if (pod.spec?.nodeName !== node) {
    return "node requested token bound to a pod scheduled on a different node";
  }
  if (!rules.gate("ServiceAccountNodeAudienceRestriction")) return undefined;
  return audienceProblem(request, rules, spec?.audiences ?? [], pod);
}

async function audienceProblem(
  { attributes, node }: NodeRequest,
  { listers, mayUser }: NodeRules,
  audiences: readonly string[],
  pod: Pod,
): Promise<Refusal> {
  if (audiences.length > 1) return "node may only request 0 or 1 audiences";
  const [audience = ""] = audiences;
  if (await podHasAudience(listers, pod, audience)) return undefined;
  const { allowed } = await mayUser({
    user: attributes.user,
    verb: "request-serviceaccounts-token-audience",
    group: "",
    version: "v1",
    resource: audience,
    namespace: attributes.namespace,
    name: attributes.name,
  });
  if (allowed) return undefined;
  return `audience ${quoted(audience)} not found in pod spec volume, system:node:${node} is not authorized to request tokens for this audience`;
}

async function podHasAudience(listers: Listers, pod: Pod, audience: string): Promise<boolean> {
  const namespace = pod.metadata?.namespace ?? "";
  for (const volume of pod.spec?.volumes ?? []) {
    const tokens = (volume.projected?.sources ?? []).map((one) => one.serviceAccountToken);
    if (tokens.some((token) => token !== undefined && (token.audience ?? "") === audience)) {
      return true;
    }
    const claim = volume.persistentVolumeClaim?.claimName;
    const ephemeral = `${pod.metadata?.name}-${volume.name}`;
    const claimName = claim ?? (volume.ephemeral === undefined ? undefined : ephemeral);
    const driver = volume.csi?.driver ?? (await driverOf(listers, namespace, claimName));
    if (driver !== undefined && (await driverHasAudience(listers, driver, audience))) return true;
  }
  return false;
}

/** The CSI driver behind a bound claim. */
async function driverOf(
  listers: Listers,
  namespace: string,
  claimName: string | undefined,
): Promise<string | undefined> {
  if (claimName === undefined) return undefined;
  const claims = { group: "", resource: "persistentvolumeclaims" };
  const claim = await listers.get<PersistentVolumeClaim>(claims, namespace, claimName);
  const volumeName = claim?.spec?.volumeName ?? "";
  if (volumeName === "") return undefined;
  const volumes = { group: "", resource: "persistentvolumes" };
  const volume = await listers.get<PersistentVolume>(volumes, "", volumeName);
  return volume?.spec?.csi?.driver;
}

async function driverHasAudience(listers: Listers, driver: string, audience: string) {
  const drivers = { group: "storage.k8s.io", resource: "csidrivers" };
  const found = await listers.get<CSIDriver>(drivers, "", driver);
  return (found?.spec?.tokenRequests ?? []).some((one) => (one.audience ?? "") === audience);
}

export function nodeMayWriteLease({ attributes, node }: NodeRequest): Refusal {
  if (attributes.namespace !== LEASE_NAMESPACE) {
    return `can only access leases in the ${quoted(LEASE_NAMESPACE)} system namespace`;
  }
  if (objectName(attributes) === node) return undefined;
  return "can only access node lease with the same name as the requesting node";
}

export function nodeMayWriteOwnName({ attributes, node }: NodeRequest, kind: string): Refusal {
  if (objectName(attributes) === node) return undefined;
  return `can only access ${kind} with the same name as the requesting node`;
}

/** On create the object's own name counts: the request may name none. */
function objectName({ operation, object, name }: NodeRequest["attributes"]): string {
  return operation === "CREATE" ? (object.metadata?.name ?? "") : name;
}

export function nodeMayWriteResourceSlice({ attributes, node }: NodeRequest): Refusal {
  const { operation, object, oldObject } = attributes;
  const verb = operation === "CREATE" ? "create" : operation === "DELETE" ? "delete" : undefined;
  if (verb === undefined) return undefined;
  const slice = (verb === "create" ? object : oldObject) as DeepReadonly<ResourceSlice> | undefined;
  // A mutating phase that does not see what is deleted leaves it to the node authorizer.
  if (slice === undefined || slice.spec?.nodeName === node) return undefined;
  return `can only ${verb} ResourceSlice with the same NodeName as the requesting node`;
}

export function nodeMayRequestCertificate(
  { attributes, node }: NodeRequest,
  { gate, commonNameOf }: NodeRules,
): Refusal {
  if (attributes.operation !== "CREATE") return undefined;
  if (gate("AllowInsecureKubeletCertificateSigningRequests")) return undefined;
  const { spec } = attributes.object as DeepReadonly<CertificateSigningRequest>;
  if (!KUBELET_SIGNERS.includes(spec?.signerName ?? "")) return undefined;
  const pem = Buffer.from(spec?.request ?? "", "base64").toString("utf8");
  const commonName = commonNameOf(pem);
  if (commonName === undefined) {
    return "unable to parse csr: PEM block type must be CERTIFICATE REQUEST";
  }
  if (commonName === `system:node:${node}`) return undefined;
  return `can only create a node CSR with CN=system:node:${node}`;
}

interface PodCertificateRequest extends KubeObject {
  spec?: {
    podName?: string;
    podUID?: string;
    serviceAccountName?: string;
    serviceAccountUID?: string;
    nodeName?: string;
    nodeUID?: string;
  };
}

/** For a pod that runs there, as the account and on the node that it really has. */
export async function nodeMayRequestPodCertificate(
  { attributes, node }: NodeRequest,
  { gate, listers }: NodeRules,
): Promise<Refusal> {
  const { operation, subresource, namespace, object } = attributes;
  if (operation !== "CREATE" || subresource !== "") return undefined;
  if (!gate("PodCertificateRequest")) return "PodCertificateRequest feature gate is disabled";
  const { spec = {} } = object as DeepReadonly<PodCertificateRequest>;
  const field = (name: string, value: string | undefined) =>
    `PodCertificateRequest.Spec.${name}=${quoted(value ?? "")}`;
  if (spec.nodeName !== node) {
    return `${field("NodeName", spec.nodeName)}, which is not the requesting node ${quoted(node)}`;
  }
  const ownNode = await listers.get<Node>({ group: "", resource: "nodes" }, "", node);
  if (ownNode === undefined || ownNode.metadata?.uid !== spec.nodeUID) {
    return `${field("NodeUID", spec.nodeUID)}, which is not the UID of the requesting node`;
  }
  const pod = await findPod(listers, namespace, spec.podName ?? "");
  if (pod === undefined || pod.metadata?.uid !== spec.podUID) {
    return `${field("PodUID", spec.podUID)}, which is not the UID of pod ${quoted(spec.podName ?? "")}`;
  }
  if (pod.spec?.nodeName !== node) {
    return `pod ${quoted(spec.podName ?? "")} is not running on the requesting node ${quoted(node)}`;
  }
  if (pod.metadata?.annotations?.["kubernetes.io/config.mirror"] !== undefined) {
    return `pod ${quoted(spec.podName ?? "")} is a mirror pod`;
  }
  if (pod.spec.serviceAccountName !== spec.serviceAccountName) {
    return `${field("ServiceAccountName", spec.serviceAccountName)}, which is not the pod's`;
  }
  const accounts = { group: "", resource: "serviceaccounts" };
  const account = await listers.get<ServiceAccount>(
    accounts,
    namespace,
    spec.serviceAccountName ?? "",
  );
  if (account?.metadata?.uid === spec.serviceAccountUID) return undefined;
  return `${field("ServiceAccountUID", spec.serviceAccountUID)}, which is not the UID of the account`;
}
