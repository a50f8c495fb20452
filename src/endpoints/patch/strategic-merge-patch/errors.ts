/**
 * What a strategic merge patch can be told. Upstream: apimachinery/pkg/util/mergepatch/errors.go,
 * and interpretStrategicMergePatchError of apiserver/pkg/endpoints/handlers/patch.go.
 */
import { badRequest, StatusError, unknownError } from "../../../apimachinery/api/errors.ts";
import { goText, goTypeOf, type Json } from "../../fieldmanager/value.ts";

/** 400s: the patch has no meaning. */
export const badPrimitiveList = () => badRequest("invalid patch format of primitive list");
export const badRetainKeys = () => badRequest("invalid patch format of retainKeys");
export const badSetElementOrder = () => badRequest("invalid patch format of setElementOrder list");

/** 422 with the generic text, as upstream's NewGenericServerResponse has it. */
export function noListOfLists(): StatusError {
  const message = "the server rejected our request due to an error in our request";
  return new StatusError("Invalid", message, { details: {} });
}

/** All others go out as they are: 500 without a reason. */
export function noMergeKey(map: Json, key: string): StatusError {
  return unknownError(`map: ${goText(map)} does not contain declared merge key: ${key}`);
}

export function badArgType(expected: "map" | "list", actual: Json): StatusError {
  const type = expected === "map" ? "map[string]interface {}" : "[]interface {}";
  const received = actual === null || actual === undefined ? "%!s(<nil>)" : goTypeOf(actual);
  return unknownError(`expected a ${type}, but received a ${received}`);
}

export function badPatchType(directive: Json, map: Json): StatusError {
  const printed = typeof directive === "string" ? directive : goVerbText(directive);
  return unknownError(`unknown patch type: ${printed} in map: ${goText(map)}`);
}

/** Go's %s of something that is no string. */
function goVerbText(value: Json): string {
  if (value === null || value === undefined) return "%!s(<nil>)";
  if (typeof value === "object") return goText(value);
  return `%!s(${goTypeOf(value)}=${goText(value)})`;
}

export function orderMismatch(patch: readonly Json[], order: readonly Json[]): StatusError {
  return unknownError(
    `The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`,
  );
}
