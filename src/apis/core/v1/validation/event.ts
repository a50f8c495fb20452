/**
 * Events, whose rules depend on the version they come in by: core/v1 keeps its old lax ones.
 * Objects are in the storage version, core/v1; paths are upstream's internal names.
 * Upstream: pkg/apis/core/validation/events.go.
 */
import {
  type ErrorList,
  invalid,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  byteLength,
  isDNS1123Subdomain,
  isQualifiedName,
} from "../../../../apimachinery/validation/names.ts";
import {
  nameIsDNSSubdomain,
  semanticDeepEqual,
  validateImmutableField,
  validateKubeFinalizers,
  validateKubeObjectMeta,
  validateObjectMetaUpdate,
} from "../../../../apimachinery/validation/object-meta.ts";
import { goStruct } from "../../../validation/common.ts";
import type { Event } from "../types.ts";

const metadataPath = Path.root("metadata");
const REFERENCE = "k8s.io/api/core/v1.ObjectReference";
const SOURCE = "k8s.io/api/core/v1.EventSource";
const LENGTHS = { reportingInstance: 128, action: 128, reason: 128, message: 1024 } as const;

export function validateEventCreate(event: Event, requestApiVersion: string): ErrorList {
  const errors = validateLegacy(event);
  if (requestApiVersion === "v1") return errors;
  errors.push(
    ...validateKubeObjectMeta(event.metadata ?? {}, true, nameIsDNSSubdomain, metadataPath),
  );
  errors.push(...validateSeries(event));
  if (event.eventTime === undefined) errors.push(required("eventTime"));
  const { type = "" } = event;
  if (type !== "Normal" && type !== "Warning") {
    errors.push(invalid("type", "", `has invalid value: ${type}`));
  }
  const unset = (name: string) => errors.push(invalid(name, "", "needs to be unset"));
  if (event.firstTimestamp !== undefined) unset("firstTimestamp");
  if (event.lastTimestamp !== undefined) unset("lastTimestamp");
  if (event.count) unset("count");
  if (event.source?.component || event.source?.host) unset("source");
  return errors;
}

function validateSeries({ series }: Event): ErrorList {
  if (series === undefined) return [];
  const errors: ErrorList = [];
  if ((series.count ?? 0) < 2) errors.push(invalid("series.count", "", "should be at least 2"));
  if (series.lastObservedTime === undefined) errors.push(required("series.lastObservedTime"));
  return errors;
}

function validateLegacy(event: Event): ErrorList {
  const namespace = event.metadata?.namespace ?? "";
  const involved = event.involvedObject?.namespace ?? "";
  const errors: ErrorList = [];
  const mismatch = () =>
    errors.push(invalid("involvedObject.namespace", involved, "does not match event.namespace"));
  if (event.eventTime === undefined) {
    const allowed = involved === "" ? ["", "default"] : [involved];
    if (!allowed.includes(namespace)) mismatch();
  } else {
    if (involved === "" && !["default", "kube-system"].includes(namespace)) mismatch();
    errors.push(...validateReporting(event));
  }
  for (const message of isDNS1123Subdomain(namespace)) {
    errors.push(invalid("namespace", namespace, message));
  }
  return errors;
}

/** What events with a time must say of who reports them. */
function validateReporting(event: Event): ErrorList {
  const errors: ErrorList = [];
  const controller = event.reportingComponent ?? "";
  if (controller === "") errors.push(required("reportingController"));
  for (const message of isQualifiedName(controller)) {
    errors.push(invalid("reportingController", controller, message));
  }
  for (const name of ["reportingInstance", "action", "reason", "message"] as const) {
    const value = event[name] ?? "";
    if (value === "" && name !== "message") errors.push(required(name));
    if (byteLength(value) > LENGTHS[name]) {
      errors.push(invalid(name, "", `can have at most ${LENGTHS[name]} characters`));
    }
  }
  return errors;
}

export function validateEventUpdate(
  event: Event,
  old: Event,
  requestApiVersion: string,
): ErrorList {
  const errors = validateLegacy(event);
  if (requestApiVersion === "v1") return errors;
  const [metadata, oldMetadata] = [event.metadata ?? {}, old.metadata ?? {}];
  errors.push(...validateObjectMetaUpdate(metadata, oldMetadata, metadataPath));
  errors.push(...validateKubeFinalizers(metadata, metadataPath));
  if (!semanticDeepEqual(event.series, old.series)) errors.push(...validateSeries(event));
  const same = (name: string, now: unknown, before: unknown, printed: () => unknown = () => now) =>
    errors.push(...validateImmutableField(now, before, Path.root(name), printed));
  same("involvedObject", event.involvedObject ?? {}, old.involvedObject ?? {}, () =>
    goStruct(event.involvedObject ?? {}, REFERENCE),
  );
  same("reason", event.reason ?? "", old.reason ?? "");
  same("message", event.message ?? "", old.message ?? "");
  same("source", event.source ?? {}, old.source ?? {}, () => goStruct(event.source ?? {}, SOURCE));
  same("firstTimestamp", event.firstTimestamp, old.firstTimestamp);
  same("lastTimestamp", event.lastTimestamp, old.lastTimestamp);
  same("count", event.count ?? 0, old.count ?? 0);
  same("reason", event.reason ?? "", old.reason ?? "");
  same("type", event.type ?? "", old.type ?? "");
  same("eventTime", event.eventTime, old.eventTime);
  same("action", event.action ?? "", old.action ?? "");
  same("related", event.related, old.related, () => goStruct(event.related, REFERENCE));
  same("reportingController", event.reportingComponent ?? "", old.reportingComponent ?? "");
  same("reportingInstance", event.reportingInstance ?? "", old.reportingInstance ?? "");
  return errors;
}
