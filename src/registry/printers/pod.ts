/** The pod's row: its status is a story told by its containers. Upstream: printers.go printPod. */
import type { ContainerStatus, Pod } from "../../apis/core/v1/types.ts";
import { orNone, since, sinceMs } from "./human.ts";
import type { PrintedRow } from "./printers.ts";

interface Progress {
  reason: string;
  restarts: number;
  ready: number;
  lastRestart: number;
}

export function printPod(pod: Pod, now: Date): PrintedRow {
  const { metadata, spec, status } = pod;
  const sidecars = sidecarNames(pod);
  const total = (spec?.containers ?? []).length + sidecars.size;
  const progress: Progress = { reason: startReason(pod), restarts: 0, ready: 0, lastRestart: 0 };
  const sidecarRestarts: Progress = { ...progress };
  const initializing = walkInitContainers(pod, sidecars, progress, sidecarRestarts);
  if (!initializing || hasCondition(pod, "Initialized"))
    walkContainers(pod, progress, sidecarRestarts);
  if (metadata?.deletionTimestamp) {
    if (status?.reason === "NodeLost") progress.reason = "Unknown";
    else if (!["Succeeded", "Failed"].includes(status?.phase ?? ""))
      progress.reason = "Terminating";
  }
  const restarts =
    progress.restarts !== 0 && progress.lastRestart !== 0
      ? `${progress.restarts} (${sinceMs(progress.lastRestart, now)} ago)`
      : String(progress.restarts);
  const cells = [
    metadata?.name ?? "",
    `${progress.ready}/${total}`,
    progress.reason,
    restarts,
    since(metadata?.creationTimestamp, now),
    orNone(status?.podIPs?.[0]?.ip),
    orNone(spec?.nodeName),
    orNone(status?.nominatedNodeName),
    readinessGates(pod),
  ];
  const phase = status?.phase;
  if (phase !== "Succeeded" && phase !== "Failed") return { cells };
  const message = `The pod has ${phase === "Succeeded" ? "completed successfully" : "failed"}.`;
  return {
    cells,
    conditions: [{ type: "Completed", status: "True", reason: phase, message }],
  };
}

function sidecarNames({ spec }: Pod): Set<string> {
  const sidecars = (spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  return new Set(sidecars.map((one) => one.name ?? ""));
}

function startReason({ status }: Pod): string {
  const gated = (status?.conditions ?? []).some(
    (one) => one.type === "PodScheduled" && one.reason === "SchedulingGated",
  );
  if (gated) return "SchedulingGated";
  return status?.reason || status?.phase || "";
}

function hasCondition({ status }: Pod, type: string): boolean {
  return (status?.conditions ?? []).some((one) => one.type === type && one.status === "True");
}

/** True while an init container holds the pod back; its story is then in `progress.reason`. */
function walkInitContainers(
  pod: Pod,
  sidecars: ReadonlySet<string>,
  progress: Progress,
  sidecarRestarts: Progress,
): boolean {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const count = (pod.spec?.initContainers ?? []).length;
  for (const [index, container] of statuses.entries()) {
    const { terminated, waiting } = container.state ?? {};
    countRestarts(progress, container);
    const isSidecar = sidecars.has(container.name ?? "");
    if (isSidecar) countRestarts(sidecarRestarts, container);
    if (terminated && (terminated.exitCode ?? 0) === 0) continue;
    if (isSidecar && container.started) {
      if (container.ready) progress.ready++;
      continue;
    }
    if (terminated) progress.reason = `Init:${terminationText(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") {
      progress.reason = `Init:${waiting.reason}`;
    } else progress.reason = `Init:${index}/${count}`;
    return true;
  }
  return false;
}

function countRestarts(progress: Progress, { restartCount, lastState }: ContainerStatus): void {
  progress.restarts += restartCount ?? 0;
  const finished = Date.parse(lastState?.terminated?.finishedAt ?? "");
  if (!Number.isNaN(finished)) progress.lastRestart = Math.max(progress.lastRestart, finished);
}

function terminationText(state: {
  reason?: string | undefined;
  signal?: number | undefined;
  exitCode?: number | undefined;
}): string {
  if (state.reason) return state.reason;
  return state.signal ? `Signal:${state.signal}` : `ExitCode:${state.exitCode ?? 0}`;
}

function walkContainers(pod: Pod, progress: Progress, sidecarRestarts: Progress): void {
  progress.restarts = sidecarRestarts.restarts;
  progress.lastRestart = sidecarRestarts.lastRestart;
  let isRunning = false;
  let lastError = "";
  for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    const { waiting, terminated, running } = container.state ?? {};
    countRestarts(progress, container);
    if (waiting?.reason) progress.reason = waiting.reason;
    else if (terminated) {
      progress.reason = terminationText(terminated);
      if ((terminated.exitCode ?? 0) !== 0) lastError = progress.reason;
    } else if (container.ready && running) {
      isRunning = true;
      progress.ready++;
    }
  }
  if (progress.reason !== "Completed") return;
  if (isRunning) progress.reason = hasCondition(pod, "Ready") ? "Running" : "NotReady";
  else if (lastError !== "") progress.reason = lastError;
}

function readinessGates({ spec, status }: Pod): string {
  const gates = spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const met = gates.filter((gate) =>
    (status?.conditions ?? []).some(
      (one) => one.type === gate.conditionType && one.status === "True",
    ),
  );
  return `${met.length}/${gates.length}`;
}
