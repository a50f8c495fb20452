/** Resources that are questions, not objects: reviews and bindings. POST only. */
import type { RequestScope } from "../api-context.ts";
import type { MethodHandlers } from "../routes.ts";
import { bindPod } from "../subresources/binding.ts";
import { unimplemented } from "../subresources/unimplemented.ts";

/** Undefined for resources that are stored. */
export function virtualHandlers(scope: RequestScope): MethodHandlers | undefined {
  const { resource } = scope;
  if (resource.storage !== undefined) return undefined;
  if (resource.gvr.resource === "bindings") return { POST: bindPod(scope, false) };
  return { POST: unimplemented(`${resource.gvr.resource}.${resource.gvr.group}`) };
}
