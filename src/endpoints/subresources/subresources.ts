/** The handlers of every subresource, by its name. Upstream: each group's StorageProvider. */
import type { RequestScope } from "../api-context.ts";
import { getResource } from "../handlers/get.ts";
import { patchResource } from "../handlers/patch.ts";
import { updateResource } from "../handlers/update.ts";
import type { MethodHandlers } from "../routes.ts";
import { bindPod } from "./binding.ts";
import { evictPod } from "./eviction.ts";
import { podConnect } from "./pod-connect.ts";
import { podLog } from "./pod-log.ts";
import { scaleHandlers } from "./scale.ts";
import { createToken } from "./token.ts";
import { unimplemented } from "./unimplemented.ts";

const METHODS: Readonly<Record<string, string>> = {
  get: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
};

export function subresourceHandlers(scope: RequestScope): ReadonlyMap<string, MethodHandlers> {
  const { resource } = scope;
  return new Map([...resource.subresources.keys()].map((name) => [name, handlersOf(scope, name)]));
}

function handlersOf(scope: RequestScope, name: string): MethodHandlers {
  const { resource } = scope;
  const verbs = resource.subresources.get(name)?.verbs ?? [];
  const can = (verb: string) => verbs.includes(verb);
  if (name === "scale") return scaleHandlers(scope);
  const isPlain = resource.strategy.subresources?.[name] !== undefined || name === "status";
  if (isPlain) {
    return {
      GET: can("get") ? getResource(scope) : undefined,
      PUT: can("update") ? updateResource(scope, name) : undefined,
      PATCH: can("patch") ? patchResource(scope, name) : undefined,
    };
  }
  if (name === "binding") return { POST: bindPod(scope, true) };
  if (name === "eviction") return { POST: evictPod(scope) };
  if (name === "token") return { POST: createToken(scope) };
  if (name === "exec" || name === "attach" || name === "portforward") {
    const connect = podConnect(scope, name);
    return { GET: connect, POST: connect };
  }
  if (name === "log") return { GET: podLog(scope) };
  const refuse = unimplemented(`${resource.gvr.resource}/${name}`);
  return Object.fromEntries(verbs.map((verb) => [METHODS[verb] ?? verb, refuse]));
}
