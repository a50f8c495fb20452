/** Upstream: pkg/apis/authentication/validation/validation.go. */
import { type ErrorList, invalid } from "../../../apimachinery/validation/field.ts";
import type { TokenRequest } from "./types.ts";

/** A token's lifetime: ten minutes to 2^32 seconds. */
export function validateTokenRequest({ spec = {} }: Pick<TokenRequest, "spec">): ErrorList {
  const seconds = spec.expirationSeconds ?? 0;
  const at = "spec.expirationSeconds";
  if (seconds < 600)
    return [invalid(at, seconds, "may not specify a duration less than 10 minutes")];
  if (seconds > 2 ** 32) {
    return [invalid(at, seconds, "may not specify a duration larger than 2^32 seconds")];
  }
  return [];
}
