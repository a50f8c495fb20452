/**
 * The table cells of every kind, as kubectl prints them. Columns come from the generated table.
 * Upstream: pkg/printers/internalversion/printers.go and printers/storage.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { PrinterColumn } from "../../apis/resources.ts";
import { resourceTables } from "../../apis/resources.ts";
import type { ServedResource } from "../generic/served-resource.ts";
import * as core from "./core.ts";
import * as others from "./others.ts";
import { printPod } from "./pod.ts";
import * as workloads from "./workloads.ts";

export interface PrintedRow {
  readonly cells: readonly unknown[];
  readonly conditions?: readonly unknown[];
}
export interface Printer {
  readonly columns: readonly PrinterColumn[];
  /** The convertor of kinds without columns of their own: no rows are null. */
  readonly isGeneric: boolean;
  /** Whether rows come in the order in which objects are stored. */
  readonly keepsOrder: boolean;
  /** The order of a list's rows. */
  order(objects: readonly KubeObject[]): readonly KubeObject[];
  /** One row for `object` in the request's version, with ages as of `now`. */
  row(object: KubeObject, now: Date): PrintedRow;
}

type CellsOf = (object: never, now: Date) => readonly unknown[];

/** By `resource.group`; a resource that is missing here prints its name and creation time. */
const printers: Readonly<Record<string, CellsOf>> = {
  "componentstatuses.": core.componentStatus,
  "configmaps.": core.configMap,
  "endpoints.": core.endpoints,
  "events.": core.event,
  "events.events.k8s.io": core.event,
  "namespaces.": core.namespace,
  "nodes.": core.node,
  "persistentvolumeclaims.": core.persistentVolumeClaim,
  "persistentvolumes.": core.persistentVolume,
  "podtemplates.": workloads.podTemplate,
  "replicationcontrollers.": workloads.replicationController,
  "resourcequotas.": core.resourceQuota,
  "secrets.": core.secret,
  "serviceaccounts.": core.serviceAccount,
  "services.": core.service,
  "apiservices.apiregistration.k8s.io": others.apiService,
  "controllerrevisions.apps": workloads.controllerRevision,
  "daemonsets.apps": workloads.daemonSet,
  "deployments.apps": workloads.deployment,
  "replicasets.apps": workloads.replicaSet,
  "statefulsets.apps": workloads.statefulSet,
  "horizontalpodautoscalers.autoscaling": workloads.horizontalPodAutoscaler,
  "cronjobs.batch": workloads.cronJob,
  "jobs.batch": workloads.job,
  "certificatesigningrequests.certificates.k8s.io": others.csr,
  "clustertrustbundles.certificates.k8s.io": others.clusterTrustBundle,
  "ingressclasses.networking.k8s.io": others.ingressClass,
  "ingresses.networking.k8s.io": others.ingress,
  "ipaddresses.networking.k8s.io": others.ipAddress,
  "networkpolicies.networking.k8s.io": others.networkPolicy,
  "servicecidrs.networking.k8s.io": others.serviceCidr,
  "poddisruptionbudgets.policy": workloads.podDisruptionBudget,
  "clusterrolebindings.rbac.authorization.k8s.io": others.roleBinding,
  "rolebindings.rbac.authorization.k8s.io": others.roleBinding,
  "csidrivers.storage.k8s.io": others.csiDriver,
  "csinodes.storage.k8s.io": others.csiNode,
  "storageclasses.storage.k8s.io": others.storageClass,
  "volumeattachments.storage.k8s.io": others.volumeAttachment,
  "volumeattributesclasses.storage.k8s.io": others.volumeAttributesClass,
  "mutatingadmissionpolicies.admissionregistration.k8s.io": others.admissionPolicy,
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io": others.admissionPolicyBinding,
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": others.webhookConfiguration,
  "validatingadmissionpolicies.admissionregistration.k8s.io": others.admissionPolicy,
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": others.admissionPolicyBinding,
  "validatingwebhookconfigurations.admissionregistration.k8s.io": others.webhookConfiguration,
  "priorityclasses.scheduling.k8s.io": others.priorityClass,
  "workloads.scheduling.k8s.io": others.plain,
  "leases.coordination.k8s.io": others.lease,
  "leasecandidates.coordination.k8s.io": others.leaseCandidate,
  "runtimeclasses.node.k8s.io": others.runtimeClass,
  "endpointslices.discovery.k8s.io": core.endpointSlice,
  "deviceclasses.resource.k8s.io": others.plain,
  "resourceclaims.resource.k8s.io": others.resourceClaim,
  "resourceclaimtemplates.resource.k8s.io": others.plain,
  "resourceslices.resource.k8s.io": others.resourceSlice,
  "flowschemas.flowcontrol.apiserver.k8s.io": others.flowSchema,
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": others.priorityLevel,
  "storageversions.internal.apiserver.k8s.io": others.storageVersion,
};

const made = new WeakMap<ServedResource, Printer>();

/** The kind's own printer, or the generic one: name and creation time. */
export function printerFor(resource: ServedResource): Printer {
  let printer = made.get(resource);
  if (printer === undefined) {
    printer = makePrinter(resource);
    made.set(resource, printer);
  }
  return printer;
}

function makePrinter({ gvr, custom }: ServedResource): Printer {
  if (custom !== undefined) return custom.printer;
  const { group, version, resource } = gvr;
  const table = resourceTables().resources.find(
    (one) => one.group === group && one.version === version && one.resource === resource,
  );
  const cells = printers[`${resource}.${group}`];
  const isPod = resource === "pods" && group === "";
  return {
    columns: table?.columns ?? [],
    isGeneric: cells === undefined && !isPod,
    keepsOrder: resource !== "flowschemas",
    order: resource === "flowschemas" ? byPrecedence : (objects) => objects,
    row: (object, now) => {
      if (isPod) return printPod(object as never, now);
      if (cells !== undefined) return { cells: cells(object as never, now) };
      const { name = "", creationTimestamp = "" } = object.metadata ?? {};
      return { cells: [name, creationTimestamp] };
    },
  };
}

/** FlowSchemas are listed in the order in which they match. */
function byPrecedence(objects: readonly KubeObject[]): readonly KubeObject[] {
  const precedence = (object: KubeObject) =>
    (object as { spec?: { matchingPrecedence?: number } }).spec?.matchingPrecedence ?? 0;
  return [...objects].sort(
    (a, b) =>
      precedence(a) - precedence(b) ||
      ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1),
  );
}
