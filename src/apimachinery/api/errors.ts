/**
 * Errors meant for clients, as metav1.Status. The codes are a table; the class carries a reason.
 * Upstream: apimachinery/pkg/api/errors.
 */
import type { GroupResource } from "../runtime/gvk.ts";
import { qualifiedKind, qualifiedResource } from "../runtime/gvk.ts";
import { causeReason, type ErrorList, errorBody, errorText, quote } from "../validation/field.ts";

/** Every reason this server sends, with the HTTP code apimachinery pairs it with. */
export const httpCodeOf = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  StoreReadError: 500,
  ServerTimeout: 500, // not 504: upstream's NewServerTimeout pairs it with 500
  NotImplemented: 501,
  ServiceUnavailable: 503,
  Timeout: 504,
  "": 500,
} as const;
export type StatusReason = keyof typeof httpCodeOf;

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string };
  readonly status: "Failure" | "Success";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export interface StatusOptions {
  readonly details?: StatusDetails;
  /** Overrides the reason's own code (a webhook's 418, a NotAcceptable under another name). */
  readonly code?: number;
  /** `metadata.continue` of an Expired list. */
  readonly continueToken?: string;
  readonly cause?: unknown;
}

/** An error meant for the client. Anything else that is thrown is a bug of ours: see toStatus(). */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly reason: StatusReason | (string & {});
  readonly details: StatusDetails | undefined;
  readonly code: number;
  readonly #continueToken: string | undefined;

  /** A reason that only the message of another server has needs a code. */
  constructor(reason: StatusReason | (string & {}), message: string, options: StatusOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.details = options.details;
    this.code = options.code ?? httpCodeOf[reason as StatusReason] ?? 500;
    this.#continueToken = options.continueToken;
  }

  /** The body clients decode, in Go's field order. */
  get status(): Status {
    const { reason, message, details, code } = this;
    const metadata = this.#continueToken === undefined ? {} : { continue: this.#continueToken };
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata,
      status: "Failure",
      ...(message === "" ? {} : { message }),
      ...(reason === "" ? {} : { reason }),
      ...(details === undefined ? {} : { details: orderedDetails(details) }),
      code,
    };
  }
}

/** StatusDetails with Go's field order and its omitempty. */
export function orderedDetails(details: StatusDetails): StatusDetails {
  const { name, group, kind, uid, causes, retryAfterSeconds } = details;
  return {
    ...(name ? { name } : {}),
    ...(group ? { group } : {}),
    ...(kind ? { kind } : {}),
    ...(uid ? { uid } : {}),
    ...(causes && causes.length > 0 ? { causes } : {}),
    ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
  };
}

/** Turns whatever was thrown into the Status to send. */
export function toStatus(thrown: unknown): Status {
  if (thrown instanceof StatusError) return thrown.status;
  return internalError(thrown instanceof Error ? thrown.message : String(thrown)).status;
}

const detailsOf = ({ group, resource }: GroupResource, name: string): StatusDetails => ({
  name,
  group,
  kind: resource,
});

export function badRequest(message: string): StatusError {
  return new StatusError("BadRequest", message);
}
export function unauthorized(): StatusError {
  return new StatusError("Unauthorized", "Unauthorized");
}
export function notFound(of: GroupResource, name: string): StatusError {
  const message = `${qualifiedResource(of)} ${quote(name)} not found`;
  return new StatusError("NotFound", message, { details: detailsOf(of, name) });
}
/** A path below a served group version that nothing is registered for: `details` is empty. */
export function noSuchPath(): StatusError {
  const message = "the server could not find the requested resource";
  return new StatusError("NotFound", message, { details: {} });
}
export function methodNotAllowed(): StatusError {
  const message = "the server does not allow this method on the requested resource";
  return new StatusError("MethodNotAllowed", message, { details: {} });
}
export function alreadyExists(of: GroupResource, name: string, prefix = ""): StatusError {
  const message = `${prefix}${qualifiedResource(of)} ${quote(name)} already exists`;
  return new StatusError("AlreadyExists", message, { details: detailsOf(of, name) });
}
export function conflict(of: GroupResource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(of)} ${quote(name)}: ${why}`;
  return new StatusError("Conflict", message, { details: detailsOf(of, name) });
}
/** What a stale resourceVersion is told. Upstream: registry.OptimisticLockErrorMsg. */
export const OPTIMISTIC_LOCK_MESSAGE =
  "the object has been modified; please apply your changes to the latest version and try again";

/** `pods "x" is forbidden: why`; without a name `pods is forbidden: why`. */
export function forbidden(of: GroupResource, name: string, why: string): StatusError {
  const details = detailsOf(of, name);
  if (of.resource === "") return new StatusError("Forbidden", `forbidden: ${why}`, { details });
  const what = qualifiedResource(of);
  const subject = name === "" ? what : `${what} ${quote(name)}`;
  return new StatusError("Forbidden", `${subject} is forbidden: ${why}`, { details });
}

/** 422 with every cause. `kind` and `group` name the object as upstream's NewInvalid does. */
export function invalid(of: { group: string; kind: string }, name: string, errors: ErrorList) {
  const causes = errors.map((error) => ({
    reason: causeReason(error.type),
    message: errorBody(error),
    field: error.field,
  }));
  const details = { name, group: of.group, kind: of.kind, causes };
  const message = `${qualifiedKind(of)} ${quote(name)} is invalid: ${aggregate(errors)}`;
  return new StatusError("Invalid", message, { details });
}

/** Upstream's Aggregate.Error(): one text alone, several distinct ones in brackets. */
export function aggregate(errors: ErrorList): string {
  const texts = [...new Set(errors.map(errorText))];
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

export function internalError(message: string): StatusError {
  const details = { causes: [{ message }] };
  return new StatusError("InternalError", `Internal error occurred: ${message}`, { details });
}
/** An error that upstream leaves unstructured: 500 with an empty reason. */
export function unknownError(message: string): StatusError {
  return new StatusError("", message);
}
export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return new StatusError("Timeout", `Timeout: ${message}`, { details: { retryAfterSeconds } });
}
export function serverTimeout(of: GroupResource, verb: string, retryAfterSeconds: number) {
  const what = qualifiedResource(of);
  const message = `The ${verb} operation against ${what} could not be completed at this time, please try again.`;
  const details = { group: of.group, kind: of.resource, retryAfterSeconds };
  return new StatusError("ServerTimeout", message, { details });
}
export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError("TooManyRequests", message, { details: { retryAfterSeconds } });
}
export function requestEntityTooLarge(message: string): StatusError {
  return new StatusError("RequestEntityTooLarge", `Request entity too large: ${message}`);
}
export function resourceExpired(message: string, continueToken?: string): StatusError {
  return new StatusError("Expired", message, continueToken === undefined ? {} : { continueToken });
}
export function notAcceptable(message: string): StatusError {
  return new StatusError("NotAcceptable", message);
}
/** For what is planned and not served yet; listed in docs/COMPATIBILITY.md. */
export function notImplemented(what: string): StatusError {
  return new StatusError("NotImplemented", `${what} is not implemented by this server`);
}
