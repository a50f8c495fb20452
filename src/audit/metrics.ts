/** Upstream: apiserver/pkg/audit/metrics.go. */
import { metrics } from "../metrics/registry.ts";

export const auditEvents = metrics.counter({
  name: "apiserver_audit_event_total",
  help: "Counter of audit events generated and sent to the audit backend.",
});
export const auditErrors = metrics.counter({
  name: "apiserver_audit_error_total",
  help: "Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.",
  labels: ["plugin"],
});
export const auditLevels = metrics.counter({
  name: "apiserver_audit_level_total",
  help: "Counter of policy levels for audit events (1 per request).",
  labels: ["level"],
});
export const auditRejections = metrics.counter({
  name: "apiserver_audit_requests_rejected_total",
  help: "Counter of apiserver requests rejected due to an error in audit logging backend.",
});
