/** Rows of the remaining groups. Upstream: printers.go. */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { APIService } from "../../apis/apiregistration/v1/types.ts";
import type { CertificateSigningRequest } from "../../apis/certificates/v1/types.ts";
import type { FlowSchema, PriorityLevelConfiguration } from "../../apis/flowcontrol/v1/types.ts";
import type {
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  ServiceCIDR,
} from "../../apis/networking/v1/types.ts";
import type { Subject } from "../../apis/rbac/v1/types.ts";
import type { ResourceClaim, ResourceSlice } from "../../apis/resource/v1/types.ts";
import type {
  CSIDriver,
  CSINode,
  StorageClass,
  VolumeAttachment,
} from "../../apis/storage/v1/types.ts";
import { firstOf, humanDuration, orNone, orUnset, since } from "./human.ts";
import { selectorText } from "./workloads.ts";

type Cells = readonly unknown[];
const SHOWN_HOSTS = 3;

const nameOf = ({ metadata }: KubeObject) => metadata?.name ?? "";
const age = ({ metadata }: KubeObject, now: Date) => since(metadata?.creationTimestamp, now);

/** Only a name and an age. */
export function plain(object: KubeObject, now: Date): Cells {
  return [nameOf(object), age(object, now)];
}

export function ingress(object: Ingress, now: Date): Cells {
  const { spec, status } = object;
  const hosts = (spec?.rules ?? []).map((rule) => rule.host ?? "").filter((host) => host !== "");
  const addresses = (status?.loadBalancer?.ingress ?? []).map(
    (one) => one.ip || one.hostname || "",
  );
  return [
    nameOf(object),
    orNone(spec?.ingressClassName),
    hosts.length === 0 ? "*" : firstOf(hosts, SHOWN_HOSTS),
    [...new Set(addresses)].sort().join(","),
    (spec?.tls ?? []).length > 0 ? "80, 443" : "80",
    age(object, now),
  ];
}

export function ingressClass(object: IngressClass, now: Date): Cells {
  const parameters = object.spec?.parameters;
  const group = parameters?.apiGroup ? `.${parameters.apiGroup}` : "";
  const shown =
    parameters === undefined
      ? "<none>"
      : `${parameters.kind ?? ""}${group}/${parameters.name ?? ""}`;
  const isDefault =
    object.metadata?.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true";
  const name = isDefault ? `${nameOf(object)} (default)` : nameOf(object);
  return [name, object.spec?.controller ?? "", shown, age(object, now)];
}

export function ipAddress(object: IPAddress, now: Date): Cells {
  const parent = object.spec?.parentRef;
  const { group = "", resource = "", namespace = "", name = "" } = parent ?? {};
  const text = [group === "" ? resource : `${resource}.${group}`, namespace, name]
    .filter((part) => part !== "")
    .join("/");
  return [nameOf(object), parent === undefined ? "<none>" : text, age(object, now)];
}

export function serviceCidr(object: ServiceCIDR, now: Date): Cells {
  return [nameOf(object), (object.spec?.cidrs ?? []).join(","), age(object, now)];
}

export function networkPolicy(object: NetworkPolicy, now: Date): Cells {
  return [nameOf(object), selectorText(object.spec?.podSelector), age(object, now)];
}

export function roleBinding(
  object: KubeObject & {
    roleRef?: { kind?: string | undefined; name?: string | undefined } | undefined;
    subjects?: Subject[] | undefined;
  },
  now: Date,
): Cells {
  const of = (kind: string) => (object.subjects ?? []).filter((one) => one.kind === kind);
  const accounts = of("ServiceAccount").map((one) => `${one.namespace ?? ""}/${one.name ?? ""}`);
  return [
    nameOf(object),
    `${object.roleRef?.kind ?? ""}/${object.roleRef?.name ?? ""}`,
    age(object, now),
    of("User")
      .map((one) => one.name)
      .join(", "),
    of("Group")
      .map((one) => one.name)
      .join(", "),
    accounts.join(", "),
  ];
}

export function csr(object: CertificateSigningRequest, now: Date): Cells {
  const seconds = object.spec?.expirationSeconds;
  return [
    nameOf(object),
    age(object, now),
    object.spec?.signerName || "<none>",
    object.spec?.username ?? "",
    seconds === undefined ? "<none>" : humanDuration(seconds * 1000),
    csrCondition(object),
  ];
}

function csrCondition({ status }: CertificateSigningRequest): string {
  const has = (type: string) => (status?.conditions ?? []).some((one) => one.type === type);
  let text = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  if (has("Failed")) text += ",Failed";
  return status?.certificate ? `${text},Issued` : text;
}

export function storageClass(object: StorageClass, now: Date): Cells {
  const annotations = object.metadata?.annotations ?? {};
  const isDefault =
    annotations["storageclass.kubernetes.io/is-default-class"] === "true" ||
    annotations["storageclass.beta.kubernetes.io/is-default-class"] === "true";
  return [
    isDefault ? `${nameOf(object)} (default)` : nameOf(object),
    object.provisioner ?? "",
    object.reclaimPolicy ?? "Delete",
    object.volumeBindingMode ?? "Immediate",
    object.allowVolumeExpansion ?? false,
    age(object, now),
  ];
}

export function csiDriver(object: CSIDriver, now: Date): Cells {
  const { spec } = object;
  const audiences = (spec?.tokenRequests ?? []).map((one) => one.audience ?? "");
  const modes = (spec?.volumeLifecycleModes ?? []).join(",");
  return [
    nameOf(object),
    spec?.attachRequired ?? true,
    spec?.podInfoOnMount ?? false,
    spec?.storageCapacity ?? false,
    spec?.tokenRequests === undefined ? "<unset>" : audiences.join(","),
    spec?.requiresRepublish ?? false,
    modes === "" ? "<none>" : modes,
    age(object, now),
  ];
}

export function csiNode(object: CSINode, now: Date): Cells {
  return [nameOf(object), (object.spec?.drivers ?? []).length, age(object, now)];
}

export function volumeAttachment(object: VolumeAttachment, now: Date): Cells {
  const { spec, status } = object;
  return [
    nameOf(object),
    spec?.attacher ?? "",
    spec?.source?.persistentVolumeName ?? "",
    spec?.nodeName ?? "",
    status?.attached ?? false,
    age(object, now),
  ];
}

export function volumeAttributesClass(object: KubeObject & { driverName?: string }, now: Date) {
  return [nameOf(object), object.driverName ?? "", age(object, now)];
}

export function webhookConfiguration(object: KubeObject & { webhooks?: unknown[] }, now: Date) {
  return [nameOf(object), (object.webhooks ?? []).length, age(object, now)];
}

interface PolicyLike extends KubeObject {
  spec?: {
    validations?: unknown[];
    mutations?: unknown[];
    paramKind?: { apiVersion?: string; kind?: string };
    policyName?: string;
    paramRef?: { name?: string; namespace?: string; selector?: unknown };
  };
}

/** Validating and mutating admission policies. */
export function admissionPolicy(object: PolicyLike, now: Date): Cells {
  const { spec } = object;
  const kind = spec?.paramKind;
  const count = (spec?.validations ?? spec?.mutations ?? []).length;
  const shown = kind === undefined ? "<unset>" : `${kind.apiVersion ?? ""}/${kind.kind ?? ""}`;
  return [nameOf(object), count, shown, age(object, now)];
}

export function admissionPolicyBinding(object: PolicyLike, now: Date): Cells {
  const ref = object.spec?.paramRef;
  const named = ref?.namespace ? `${ref.namespace}/${ref.name ?? ""}` : (ref?.name ?? "");
  const shown =
    ref === undefined ? "<unset>" : ref.selector === undefined ? named : selectorText(ref.selector);
  return [nameOf(object), object.spec?.policyName ?? "", shown, age(object, now)];
}

interface PriorityClass extends KubeObject {
  value?: number;
  globalDefault?: boolean;
  preemptionPolicy?: string;
}
export function priorityClass(object: PriorityClass, now: Date): Cells {
  return [
    nameOf(object),
    object.value ?? 0,
    object.globalDefault ?? false,
    age(object, now),
    object.preemptionPolicy ?? "",
  ];
}

export function lease(object: KubeObject & { spec?: { holderIdentity?: string } }, now: Date) {
  return [nameOf(object), object.spec?.holderIdentity ?? "", age(object, now)];
}

interface LeaseCandidate extends KubeObject {
  spec?: { leaseName?: string; binaryVersion?: string; emulationVersion?: string };
}
export function leaseCandidate(object: LeaseCandidate, now: Date): Cells {
  const { leaseName = "", binaryVersion = "", emulationVersion = "" } = object.spec ?? {};
  return [nameOf(object), leaseName, binaryVersion, emulationVersion, age(object, now)];
}

export function runtimeClass(object: KubeObject & { handler?: string }, now: Date): Cells {
  return [nameOf(object), object.handler ?? "", age(object, now)];
}

export function resourceClaim(object: ResourceClaim, now: Date): Cells {
  const { metadata, status } = object;
  const states: string[] = [];
  if (metadata?.deletionTimestamp) states.push("deleted");
  if (status?.allocation === undefined) {
    if (!metadata?.deletionTimestamp) states.push("pending");
  } else {
    states.push("allocated");
    states.push((status.reservedFor ?? []).length > 0 ? "reserved" : "");
  }
  const state = states.filter((one) => one !== "").join(",");
  return [nameOf(object), state, age(object, now)];
}

export function resourceSlice(object: ResourceSlice, now: Date): Cells {
  const { spec } = object;
  const node = spec?.nodeName || (spec?.allNodes ? "<all>" : "");
  return [nameOf(object), node, spec?.driver ?? "", spec?.pool?.name ?? "", age(object, now)];
}

export function flowSchema(object: FlowSchema, now: Date): Cells {
  const { spec, status } = object;
  const dangling = (status?.conditions ?? []).find((one) => one.type === "Dangling");
  return [
    nameOf(object),
    spec?.priorityLevelConfiguration?.name ?? "",
    spec?.matchingPrecedence ?? 0,
    orNone(spec?.distinguisherMethod?.type),
    age(object, now),
    dangling?.status ?? "?",
  ];
}

export function priorityLevel(object: PriorityLevelConfiguration, now: Date): Cells {
  const { spec } = object;
  const limited = spec?.limited;
  const queuing = limited?.limitResponse?.queuing;
  return [
    nameOf(object),
    spec?.type ?? "",
    limited?.nominalConcurrencyShares ?? "<none>",
    queuing?.queues ?? "<none>",
    queuing?.handSize ?? "<none>",
    queuing?.queueLengthLimit ?? "<none>",
    age(object, now),
  ];
}

export function apiService(object: APIService, now: Date): Cells {
  const service = object.spec?.service;
  const available = (object.status?.conditions ?? []).find((one) => one.type === "Available");
  const shown =
    available === undefined
      ? "Unknown"
      : available.status === "True"
        ? "True"
        : `${available.status ?? ""} (${available.reason ?? ""})`;
  return [
    nameOf(object),
    service === undefined ? "Local" : `${service.namespace ?? ""}/${service.name ?? ""}`,
    shown,
    age(object, now),
  ];
}

interface TrustBundle extends KubeObject {
  spec?: { signerName?: string };
}
export function clusterTrustBundle(object: TrustBundle): Cells {
  return [nameOf(object), orNone(object.spec?.signerName)];
}

interface StorageVersionLike extends KubeObject {
  status?: {
    commonEncodingVersion?: string;
    storageVersions?: { apiServerID?: string; encodingVersion?: string }[];
  };
}
export function storageVersion(object: StorageVersionLike, now: Date): Cells {
  const versions = (object.status?.storageVersions ?? []).map(
    (one) => `${one.apiServerID ?? ""}=${one.encodingVersion ?? ""}`,
  );
  return [
    nameOf(object),
    orUnset(object.status?.commonEncodingVersion),
    orUnset(firstOf(versions, SHOWN_HOSTS)),
    age(object, now),
  ];
}
