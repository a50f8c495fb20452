/** Upstream: pkg/apis/authentication/v1/defaults.go. */
import type { TokenRequest } from "./types.ts";

/** A token lives an hour unless asked otherwise. */
export function setTokenRequestDefaults(request: Pick<TokenRequest, "spec">): void {
  request.spec ??= {};
  request.spec.expirationSeconds ??= 60 * 60;
}
