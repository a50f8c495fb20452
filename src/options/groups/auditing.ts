/** Upstream: apiserver/pkg/server/options/audit.go. */
import { bool, duration, float, int, string } from "../flag-spec.ts";

export const auditingFlags = {
  "audit-log-batch-buffer-size": int(10000, "Events that may wait for sending (log backend)."),
  "audit-log-batch-max-size": int(1, "Most events in a batch (log backend)."),
  "audit-log-batch-max-wait": duration("0s", "Longest wait for a batch to fill (log backend)."),
  "audit-log-batch-throttle-burst": int(0, "Batches at once after a pause (log backend)."),
  "audit-log-batch-throttle-enable": bool(false, "Limit the rate of batches (log backend)."),
  "audit-log-batch-throttle-qps": float(0, "Batches a second (log backend)."),
  "audit-log-compress": bool(false, "Compress rotated files."),
  "audit-log-format": string("json", "Format of the file: json or legacy."),
  "audit-log-maxage": int(366, "Days to keep rotated files; 0: forever."),
  "audit-log-maxbackup": int(100, "Rotated files to keep; 0: all."),
  "audit-log-maxsize": int(100, "Megabytes at which the file is rotated; 0: never."),
  "audit-log-mode": string(
    "blocking",
    "When events are sent: batch, blocking or blocking-strict (log backend).",
  ),
  "audit-log-path": string(
    "",
    "File that audit events are appended to; - for stdout. Empty: no log backend.",
  ),
  "audit-log-truncate-enabled": bool(
    false,
    "Cut events and batches that are too large (log backend).",
  ),
  "audit-log-truncate-max-batch-size": int(10485760, "Bytes in a batch (log backend)."),
  "audit-log-truncate-max-event-size": int(102400, "Bytes in an event (log backend)."),
  "audit-log-version": string("audit.k8s.io/v1", "Version of written events (log backend)."),
  "audit-policy-file": string("", "File with the audit Policy. Empty: nothing is audited."),
  "audit-webhook-batch-buffer-size": int(
    10000,
    "Events that may wait for sending (webhook backend).",
  ),
  "audit-webhook-batch-initial-backoff": duration(
    "10s",
    "Old name of --audit-webhook-initial-backoff.",
    { deprecated: "use --audit-webhook-initial-backoff instead" },
  ),
  "audit-webhook-batch-max-size": int(400, "Most events in a batch (webhook backend)."),
  "audit-webhook-batch-max-wait": duration(
    "30s",
    "Longest wait for a batch to fill (webhook backend).",
  ),
  "audit-webhook-batch-throttle-burst": int(15, "Batches at once after a pause (webhook backend)."),
  "audit-webhook-batch-throttle-enable": bool(true, "Limit the rate of batches (webhook backend)."),
  "audit-webhook-batch-throttle-qps": float(10, "Batches a second (webhook backend)."),
  "audit-webhook-config-file": string(
    "",
    "kubeconfig of the audit webhook. Empty: no webhook backend.",
  ),
  "audit-webhook-initial-backoff": duration(
    "10s",
    "Wait before the first retry of a failed webhook call.",
  ),
  "audit-webhook-mode": string(
    "batch",
    "When events are sent: batch, blocking or blocking-strict (webhook backend).",
  ),
  "audit-webhook-truncate-enabled": bool(
    false,
    "Cut events and batches that are too large (webhook backend).",
  ),
  "audit-webhook-truncate-max-batch-size": int(10485760, "Bytes in a batch (webhook backend)."),
  "audit-webhook-truncate-max-event-size": int(102400, "Bytes in an event (webhook backend)."),
  "audit-webhook-version": string(
    "audit.k8s.io/v1",
    "Version of written events (webhook backend).",
  ),
};
