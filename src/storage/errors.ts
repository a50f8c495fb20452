/**
 * What storage can report: it knows keys and revisions, not resources, verbs or HTTP. The bridge
 * to the client's words is interpretStorageError. Upstream: storage/errors.go and etcd3/errors.go.
 */
import type { StatusError } from "../apimachinery/api/errors.ts";
import * as api from "../apimachinery/api/errors.ts";
import { unreachable } from "../apimachinery/brand.ts";
import type { GroupResource } from "../apimachinery/runtime/gvk.ts";

export type StorageFailure =
  | { readonly code: "KeyNotFound"; readonly key: string }
  | { readonly code: "KeyExists"; readonly key: string }
  /** guaranteedUpdate or delete lost against other writers too often. */
  | { readonly code: "Conflict"; readonly key: string }
  /** The revision asked for has left the history. `oldest` is the first one still there. */
  | { readonly code: "Compacted"; readonly oldest: number }
  /** The revision asked for is ahead of the store, and stayed so for the wait allowed. */
  | { readonly code: "FutureRevision"; readonly asked: number; readonly current: number }
  | { readonly code: "TooLarge"; readonly message: string }
  /** The outcome of a write is unknown, or a read got no answer in time. */
  | { readonly code: "Timeout"; readonly message: string }
  | { readonly code: "Unreachable"; readonly message: string }
  /** The cache of this resource is being filled. */
  | { readonly code: "NotReady"; readonly retryAfterSeconds: number }
  /** `encrypted`: no provider could open it; else it was opened and is no object of its kind. */
  | {
      readonly code: "Corrupt";
      readonly key: string;
      readonly message: string;
      readonly encrypted?: boolean;
    }
  /** Space quota, authentication, a full disk: the store said no. */
  | { readonly code: "Refused"; readonly message: string };

export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly failure: StorageFailure;
  constructor(failure: StorageFailure, options?: ErrorOptions) {
    super("message" in failure ? failure.message : `storage: ${failure.code}`, options);
    this.failure = failure;
  }
}

export function isStorageError(thrown: unknown, code: StorageFailure["code"]): boolean {
  return thrown instanceof StorageError && thrown.failure.code === code;
}

const OLD_LIST = "The provided continue parameter is too old to display a consistent list result.";

/** Translates for the client what storage reported about `verb` on `name`. */
export function interpretStorageError(
  failure: StorageFailure,
  verb: string,
  of: GroupResource,
  name: string,
): StatusError {
  switch (failure.code) {
    case "KeyNotFound":
      return api.notFound(of, name);
    case "KeyExists":
      return api.alreadyExists(of, name);
    case "Conflict":
      return api.conflict(of, name, api.OPTIMISTIC_LOCK_MESSAGE);
    case "Compacted":
      return api.resourceExpired(verb === "list" ? OLD_LIST : "too old resource version");
    case "FutureRevision":
      return tooLargeResourceVersion(failure.asked, failure.current);
    case "TooLarge":
      return api.unknownError(failure.message);
    case "Timeout":
      return api.timeout(failure.message);
    case "Unreachable":
      return api.serverTimeout(of, verb, 2);
    case "NotReady":
      return api.tooManyRequests("storage is (re)initializing", failure.retryAfterSeconds);
    case "Corrupt": {
      if (failure.encrypted !== true) return api.unknownError(failure.message);
      const where =
        verb === "list" ? `unable to transform key ${JSON.stringify(failure.key)}: ` : "";
      return api.internalError(`${where}${failure.message}`);
    }
    case "Refused":
      return api.internalError(failure.message);
    default:
      return unreachable(failure);
  }
}

/** 504 with the cause that client-go's reflector looks for. Upstream: storage/errors.go. */
export function tooLargeResourceVersion(asked: number, current: number): StatusError {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  return new api.StatusError("Timeout", message, { details: { causes, retryAfterSeconds: 1 } });
}
