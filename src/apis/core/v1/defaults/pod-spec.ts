/**
 * Defaults of pod specs, in pods and in templates, and what upstream's conversion normalises.
 * Upstream: pkg/apis/core/v1/{defaults,conversion}.go.
 */
import type {
  Container,
  HTTPGetAction,
  Lifecycle,
  PodSpec,
  PodTemplateSpec,
  Probe,
} from "../types.ts";
import { defaultPullPolicy } from "./image-tag.ts";
import { setApiVersion, setDefaultsVolume } from "./volumes.ts";

const GRACE_SECONDS = 30;

/** A template of any kind: its spec, in place. */
export function setDefaultsPodTemplateSpec(template: PodTemplateSpec): void {
  template.spec ??= {};
  setDefaultsPodSpec(template.spec);
}

/** The spec, in place: whatever is the same in pods and templates. */
export function setDefaultsPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= GRACE_SECONDS;
  spec.schedulerName ||= "default-scheduler";
  mirrorServiceAccount(spec);
  if (spec.terminationGracePeriodSeconds < 0) spec.terminationGracePeriodSeconds = 1;
  for (const volume of spec.volumes ?? []) setDefaultsVolume(volume);
  for (const container of spec.initContainers ?? []) setDefaultsContainer(container);
  for (const container of spec.containers ?? []) setDefaultsContainer(container);
  for (const container of spec.ephemeralContainers ?? []) setDefaultsContainer(container);
}

/** The deprecated name and the new one are two spellings of one field; the new one wins. */
function mirrorServiceAccount(spec: PodSpec): void {
  spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
}

function setDefaultsContainer(container: Container): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image);
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const { valueFrom } of container.env ?? []) {
    setApiVersion(valueFrom?.fieldRef);
    if (valueFrom?.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false;
  }
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[name];
    if (probe !== undefined) setDefaultsProbe(probe);
  }
  if (container.lifecycle !== undefined) setDefaultsLifecycle(container.lifecycle);
}

function setDefaultsProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
  setDefaultsHTTPGet(probe.httpGet);
}

function setDefaultsLifecycle({ postStart, preStop }: Lifecycle): void {
  setDefaultsHTTPGet(postStart?.httpGet);
  setDefaultsHTTPGet(preStop?.httpGet);
}

function setDefaultsHTTPGet(action: HTTPGetAction | undefined): void {
  if (action === undefined) return;
  action.path ||= "/";
  action.scheme ||= "HTTP";
}
