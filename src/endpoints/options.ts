/**
 * The options of a request, from its query or body, parsed once and validated as upstream does.
 * Upstream: apimachinery/pkg/apis/meta/internalversion and apis/meta/v1/validation.
 */
import type { StatusError } from "../apimachinery/api/errors.ts";
import * as api from "../apimachinery/api/errors.ts";
import type { FieldSelector } from "../apimachinery/fields/selector.ts";
import { parseFieldSelector } from "../apimachinery/fields/selector.ts";
import { parseLabelSelector } from "../apimachinery/labels/parse.ts";
import type { LabelSelector } from "../apimachinery/labels/selector.ts";
import type { FieldValidation } from "../apimachinery/runtime/json-decode.ts";
import type { ErrorList } from "../apimachinery/validation/field.ts";
import * as field from "../apimachinery/validation/field.ts";
import { validateFieldManager } from "../apimachinery/validation/object-meta.ts";
import type { ReceivedRequest } from "../request/request.ts";

const META_GROUP = "meta.k8s.io";

export interface ListOptions {
  readonly labelSelector: LabelSelector | undefined;
  readonly fieldSelector: FieldSelector | undefined;
  readonly watch: boolean;
  readonly allowWatchBookmarks: boolean;
  /** As sent; "" when absent. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly timeoutSeconds: number | undefined;
  readonly limit: number;
  readonly continueToken: string;
  readonly sendInitialEvents: boolean | undefined;
}

/** Options of create, update and patch. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** patch only. */
  readonly force: boolean | undefined;
}

/** Parses and validates list and watch options; throws 400 or 422. */
export function parseListOptions(query: URLSearchParams, forceWatch: boolean): ListOptions {
  const sendInitialEvents = query.get("sendInitialEvents");
  const options: ListOptions = {
    labelSelector: selector(query.get("labelSelector"), parseLabelSelector),
    fieldSelector: selector(query.get("fieldSelector"), parseFieldSelector),
    watch: forceWatch || boolOf(query.get("watch")),
    allowWatchBookmarks: boolOf(query.get("allowWatchBookmarks")),
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    timeoutSeconds: intOf(query.get("timeoutSeconds")),
    limit: intOf(query.get("limit")) ?? 0,
    continueToken: query.get("continue") ?? "",
    sendInitialEvents: sendInitialEvents === null ? undefined : boolOf(sendInitialEvents),
  };
  const errors = options.watch ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw invalidOptions("ListOptions", errors);
  return options;
}

function selector<T>(text: string | null, parse: (text: string) => T): T | undefined {
  if (text === null || text === "") return undefined;
  try {
    return parse(text);
  } catch (error) {
    throw api.badRequest(error instanceof Error ? error.message : String(error));
  }
}

const MATCH = "resourceVersionMatch";

function listErrors(options: ListOptions): ErrorList {
  const { resourceVersionMatch: match, resourceVersion, continueToken } = options;
  const errors: ErrorList = [];
  if (match !== "") {
    if (resourceVersion === "") {
      errors.push(
        field.forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`),
      );
    }
    if (continueToken !== "") {
      errors.push(field.forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
    }
    if (match !== "Exact" && match !== "NotOlderThan") {
      errors.push(field.notSupported(MATCH, match, ["Exact", "NotOlderThan", ""]));
    }
    if (match === "Exact" && resourceVersion === "0") {
      errors.push(field.forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(field.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  return errors;
}

function watchErrors(options: ListOptions): ErrorList {
  const { resourceVersionMatch: match, sendInitialEvents } = options;
  const errors: ErrorList = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    const detail = `sendInitialEvents requires setting ${MATCH} to NotOlderThan`;
    errors.push(field.forbidden(MATCH, detail));
  }
  if (match === "") return errors;
  if (sendInitialEvents === undefined) {
    const detail = `${MATCH} is forbidden for watch unless sendInitialEvents is provided`;
    errors.push(field.forbidden(MATCH, detail));
  }
  if (match !== "NotOlderThan") errors.push(field.notSupported(MATCH, match, ["NotOlderThan"]));
  if (options.continueToken !== "") {
    errors.push(field.forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
  }
  return errors;
}

/** apimachinery's conversion of a query value: anything but "false" and "0" is true. */
export function boolOf(text: string | null): boolean {
  return text !== null && text.toLowerCase() !== "false" && text !== "0";
}

const INT64_MAX = 2n ** 63n - 1n;

/** strconv.ParseInt with its error texts; undefined for an absent or empty value. */
export function intOf(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  const quoted = field.quote(text);
  if (!/^[+-]?\d+$/.test(text)) {
    throw api.badRequest(`strconv.ParseInt: parsing ${quoted}: invalid syntax`);
  }
  const value = BigInt(text.replace(/^\+/, ""));
  if (value > INT64_MAX || value < -INT64_MAX - 1n) {
    throw api.badRequest(`strconv.ParseInt: parsing ${quoted}: value out of range`);
  }
  return Number(value);
}

/** `strconv.ParseUint`'s complaint about a resourceVersion, or undefined when it is a number. */
export function resourceVersionError(text: string): string | undefined {
  if (/^\d+$/.test(text)) {
    if (BigInt(text) <= 2n ** 64n - 1n) return undefined;
    return versionProblem(text, "value out of range");
  }
  return versionProblem(text, "invalid syntax");
}

function versionProblem(text: string, problem: string): string {
  const quoted = field.quote(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${problem}`;
}

export type WriteKind = "CreateOptions" | "UpdateOptions" | "PatchOptions";

/** Parses and validates the options of a write; throws 422 naming `kind`. */
export function parseWriteOptions(
  query: URLSearchParams,
  kind: WriteKind,
  isApply = false,
): WriteOptions {
  const dryRun = query.getAll("dryRun");
  const fieldManager = query.get("fieldManager") ?? "";
  const fieldValidation = query.get("fieldValidation") ?? "";
  const force = kind === "PatchOptions" ? query.get("force") : null;
  const errors: ErrorList = [];
  if (force !== null && !isApply) {
    errors.push(field.forbidden("force", "may not be specified for non-apply patch"));
  }
  if (isApply && fieldManager === "") {
    errors.push(field.required("fieldManager", "is required for apply patch"));
  }
  errors.push(...validateFieldManager(fieldManager, field.Path.root("fieldManager")));
  errors.push(...dryRunErrors(dryRun));
  if (!["", "Ignore", "Warn", "Strict"].includes(fieldValidation)) {
    const allowed = ["", "Ignore", "Strict", "Warn"];
    errors.push(field.notSupported("fieldValidation", fieldValidation, allowed));
  }
  if (errors.length > 0) throw invalidOptions(kind, errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: (fieldValidation === "" ? "Warn" : fieldValidation) as FieldValidation,
    force: force === null ? undefined : boolOf(force),
  };
}

export function dryRunErrors(dryRun: readonly string[]): ErrorList {
  if (dryRun.every((one) => one === "All")) return [];
  return [field.notSupported("dryRun", dryRun, ["All"])];
}

export function invalidOptions(kind: string, errors: ErrorList): StatusError {
  return api.invalid({ group: META_GROUP, kind }, "", errors);
}

/** The field manager of a write: as given, else the user agent up to its first slash. */
export function managerOf(fieldManager: string, request: ReceivedRequest): string {
  if (fieldManager !== "") return fieldManager;
  const product = (request.headers.get("user-agent") ?? "").split("/", 1)[0] ?? "";
  return cutToPrintable(product);
}

const MANAGER_BYTES_MAX = 128;

/** Upstream: handlers.prefixFromUserAgent: printable characters only, at most 128 bytes. */
function cutToPrintable(text: string): string {
  let out = "";
  for (const char of text) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)) continue;
    if (Buffer.byteLength(out + char) > MANAGER_BYTES_MAX) break;
    out += char;
  }
  return out;
}
