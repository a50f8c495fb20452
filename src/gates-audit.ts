/** Audit as the `--audit-*` flags say. Upstream: apiserver/pkg/server/options/audit.go. */
import { type Auditor, createAuditor } from "./audit/auditor.ts";
import {
  type AuditBackend,
  type AuditSink,
  batchBackend,
  blockingBackend,
  type Encode,
  truncating,
  unionBackend,
} from "./audit/backend.ts";
import { eventJson, legacyLine } from "./audit/event.ts";
import { logSink } from "./audit/log-sink.ts";
import { auditErrors } from "./audit/metrics.ts";
import { PolicyError, parsePolicy } from "./audit/policy.ts";
import { webhookSink } from "./audit/webhook-sink.ts";
import type { GatesConfig } from "./gates-config.ts";
import type { Flags } from "./options/flags.ts";
import { retriesFrom, WebhookClient } from "./request/outgoing/webhook-client.ts";
import { ConfigError, loadWebhookConfig, readConfigFile } from "./settings.ts";

const MEGABYTE = 1024 * 1024;
const WEBHOOK_TIMEOUT_MS = 30_000;

/** Undefined without a policy or without a backend. Throws ConfigError. */
export function createAudit({ options, log }: GatesConfig): Auditor | undefined {
  const { flags } = options;
  const policyFile = flags["audit-policy-file"];
  const hasBackend = flags["audit-log-path"] !== "" || flags["audit-webhook-config-file"] !== "";
  if (policyFile === "" || !hasBackend) {
    if (hasBackend) log.warning("No audit policy file provided, no events will be recorded");
    return undefined;
  }
  const text = readConfigFile("--audit-policy-file", policyFile);
  let policy: ReturnType<typeof parsePolicy>;
  try {
    policy = parsePolicy(text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new ConfigError(`--audit-policy-file: ${policyFile}: ${error.message}`);
  }
  const onError = (plugin: string) => (error: unknown) => {
    auditErrors.inc(plugin);
    log.error("Auditing failed; events are lost", error);
  };
  const backends: AuditBackend[] = [];
  if (flags["audit-log-path"] !== "") backends.push(logBackend(flags, onError("log")));
  if (flags["audit-webhook-config-file"] !== "") {
    backends.push(webhookBackend(flags, onError("webhook")));
  }
  return createAuditor(policy, unionBackend(backends));
}

function logBackend(flags: Flags, onError: (error: unknown) => void): AuditBackend {
  const path = flags["audit-log-path"];
  let sink: AuditSink;
  try {
    sink = logSink({
      path,
      bytesMax: flags["audit-log-maxsize"] * MEGABYTE,
      backupsMax: flags["audit-log-maxbackup"],
      daysMax: flags["audit-log-maxage"],
      compress: flags["audit-log-compress"],
      onError,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--audit-log-path: ${path}: ${why}`);
  }
  const encode = flags["audit-log-format"] === "legacy" ? legacyLine : eventJson;
  return backendOf("log", flags, sink, onError, encode);
}

function webhookBackend(flags: Flags, onError: (error: unknown) => void): AuditBackend {
  const file = flags["audit-webhook-config-file"];
  const connection = loadWebhookConfig("--audit-webhook-config-file", file);
  const retry = retriesFrom(flags["audit-webhook-initial-backoff"]);
  // A dropped event is worse than a late one: every failure is worth another try.
  const client = new WebhookClient(connection, {
    timeoutMs: WEBHOOK_TIMEOUT_MS,
    retry,
    retryAll: true,
  });
  const bytesMax = flags["audit-webhook-truncate-enabled"]
    ? flags["audit-webhook-truncate-max-batch-size"]
    : undefined;
  return backendOf("webhook", flags, webhookSink(client, bytesMax), onError, eventJson);
}

function backendOf(
  which: "log" | "webhook",
  flags: Flags,
  sink: AuditSink,
  onError: (error: unknown) => void,
  plain: Encode,
): AuditBackend {
  const encode = flags[`audit-${which}-truncate-enabled`]
    ? truncating(plain, { eventBytesMax: flags[`audit-${which}-truncate-max-event-size`] })
    : plain;
  const mode = flags[`audit-${which}-mode`];
  if (mode !== "batch") return blockingBackend(sink, mode === "blocking-strict", onError, encode);
  const throttle = flags[`audit-${which}-batch-throttle-enable`]
    ? {
        perSecond: flags[`audit-${which}-batch-throttle-qps`],
        burst: flags[`audit-${which}-batch-throttle-burst`],
      }
    : undefined;
  const options = {
    bufferSize: flags[`audit-${which}-batch-buffer-size`],
    batchSizeMax: flags[`audit-${which}-batch-max-size`],
    waitMsMax: flags[`audit-${which}-batch-max-wait`],
    throttle,
  };
  return batchBackend(sink, options, onError, encode);
}
