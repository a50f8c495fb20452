/**
 * From a request to its handler. Paths below a served group version answer with Statuses, anything
 * else with plain text, as upstream's two layers of routing do.
 * Upstream: endpoints/installer.go, server/handler.go.
 */
import * as api from "../apimachinery/api/errors.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import type { ServedResources } from "../registry/install.ts";
import type { AuthorizedRequest, BytesResponse, Handler } from "../request/request.ts";
import type { ApiContext, RequestScope } from "./api-context.ts";
import { componentStatusHandlers } from "./component-status.ts";
import { noteDeprecation } from "./deprecation.ts";
import { createResource } from "./handlers/create.ts";
import { deleteCollection, deleteResource } from "./handlers/delete.ts";
import { getResource } from "./handlers/get.ts";
import { listResource } from "./handlers/list.ts";
import { patchResource } from "./handlers/patch.ts";
import { updateResource } from "./handlers/update.ts";
import { subresourceHandlers } from "./subresources/subresources.ts";
import { virtualHandlers } from "./virtual/virtual.ts";

/** Handlers of one path by method: GET, POST, PUT, PATCH, DELETE. */
export type MethodHandlers = Readonly<Record<string, Handler | undefined>>;

/** Paths outside the API groups: health, metrics, version, discovery, OpenAPI. */
export interface PathRoutes {
  lookup(path: string): Handler | undefined;
}

/** What is served besides the built-in resources, and changes while the server runs. */
export interface DynamicResources {
  /** Resolves when everything written before is known here. */
  upToDate(): Promise<void>;
}

interface ResourceRoutes {
  readonly collection: MethodHandlers;
  /** The collection over all namespaces: no POST, no DELETE. */
  readonly allNamespaces: MethodHandlers;
  readonly item: MethodHandlers;
  readonly subresources: ReadonlyMap<string, MethodHandlers>;
}

export class Routes {
  readonly #served: ServedResources;
  readonly #api: ApiContext;
  readonly #paths: PathRoutes;
  readonly #dynamic: DynamicResources | undefined;
  readonly #made = new WeakMap<ServedResource, ResourceRoutes>();

  constructor(
    served: ServedResources,
    shared: ApiContext,
    paths: PathRoutes,
    dynamic?: DynamicResources,
  ) {
    this.#dynamic = dynamic;
    this.#served = served;
    this.#api = shared;
    this.#paths = paths;
  }

  /** The handler, or one that answers 404 or 405. */
  lookup(request: AuthorizedRequest): Handler {
    const { info } = request;
    if (!info.isResourceRequest) return this.#paths.lookup(info.path) ?? notFoundText;
    const { apiGroup: group, apiVersion: version } = info;
    const resource = this.#served.lookup(group, version, info.resource);
    if (resource !== undefined) return this.#handler(resource, request);
    const dynamic = this.#dynamic;
    if (dynamic === undefined || group === "") return this.#unknown(request);
    // Its definition may have been written a moment ago, through another thread.
    return async () => {
      await dynamic.upToDate();
      const found = this.#served.lookup(group, version, info.resource);
      const handler = found && this.#handler(found, request);
      return (handler ?? this.#unknown(request))(request);
    };
  }

  #handler(resource: ServedResource, request: AuthorizedRequest): Handler {
    const handlers = this.#handlersOf(resource, request);
    const handler = handlers?.[request.method];
    if (resource.custom !== undefined && handler === undefined) {
      return unservedCustom(resource, request, handlers);
    }
    if (handlers === undefined) throw api.noSuchPath();
    if (handler === undefined) throw api.methodNotAllowed();
    if (resource.custom === undefined) noteDeprecation(request, resource.kind);
    else for (const text of resource.custom.warnings) request.warnings.add(text);
    return handler;
  }

  #unknown({ info }: AuthorizedRequest): Handler {
    const knowsGroup =
      info.apiPrefix === "api" ||
      this.#served.all().some(({ gvr, custom }) => {
        return gvr.group === info.apiGroup && custom === undefined;
      });
    if (knowsGroup) throw api.noSuchPath();
    return this.#paths.lookup(info.path) ?? notFoundText;
  }

  #handlersOf(resource: ServedResource, { info }: AuthorizedRequest): MethodHandlers | undefined {
    const routes = this.#routesOf(resource);
    const { subresource, parts } = info;
    // Not info.name: a field selector metadata.name=x sets that one for authorization.
    const name = parts[1] ?? "";
    const inNamespace = info.namespace !== "";
    if (resource.namespaced && !inNamespace && name !== "") return undefined;
    const isNamespaceItself = resource.gvr.resource === "namespaces" && resource.gvr.group === "";
    if (!resource.namespaced && inNamespace && !isNamespaceItself) return undefined;
    if (name === "") {
      const isAll = resource.namespaced && !inNamespace;
      return isAll ? routes.allNamespaces : routes.collection;
    }
    if (subresource === "") return parts.length > 2 && parts[2] !== "" ? undefined : routes.item;
    if (parts.length > 3 && subresource !== "proxy") return undefined;
    return routes.subresources.get(subresource);
  }

  #routesOf(resource: ServedResource): ResourceRoutes {
    let routes = this.#made.get(resource);
    if (routes === undefined) {
      routes = makeRoutes({ api: this.#api, resource });
      this.#made.set(resource, routes);
    }
    return routes;
  }
}

/** What the handler of custom resources answers where nothing is. */
function unservedCustom(
  { groupResource, namespaced }: ServedResource,
  { info }: AuthorizedRequest,
  handlers: MethodHandlers | undefined,
): Handler {
  const isScoped = !namespaced || info.namespace !== "";
  if (!isScoped || (handlers === undefined && info.subresource === "")) return notFoundText;
  if (handlers === undefined) throw api.notFound(groupResource, info.name);
  const { group, resource: kind } = groupResource;
  const message = `${info.verb} is not supported on resources of kind "${kind}.${group}"`;
  throw new api.StatusError("MethodNotAllowed", message, { details: { group, kind } });
}

function makeRoutes(scope: RequestScope): ResourceRoutes {
  const { resource } = scope;
  const subresources = subresourceHandlers(scope);
  if (resource.gvr.resource === "componentstatuses") {
    const { collection, item } = componentStatusHandlers(scope);
    return { collection, allNamespaces: {}, item, subresources };
  }
  const virtual = virtualHandlers(scope);
  if (virtual !== undefined) {
    const nowhere = resource.namespaced ? {} : virtual;
    return { collection: virtual, allNamespaces: nowhere, item: {}, subresources };
  }
  const can = (verb: string) => resource.verbs.includes(verb);
  const list = can("list") ? listResource(scope) : undefined;
  const collection = {
    GET: list,
    POST: can("create") ? createResource(scope) : undefined,
    DELETE: can("deletecollection") ? deleteCollection(scope) : undefined,
  };
  const item = {
    GET: can("get") ? getOrWatch(scope, list) : undefined,
    PUT: can("update") ? updateResource(scope) : undefined,
    PATCH: can("patch") ? patchResource(scope) : undefined,
    DELETE: can("delete") ? deleteResource(scope) : undefined,
  };
  return { collection, allNamespaces: { GET: list }, item, subresources };
}

/** `/api/v1/watch/namespaces/x/pods/y` watches one object; the path is deprecated and served. */
function getOrWatch(scope: RequestScope, list: Handler | undefined): Handler {
  const get = getResource(scope);
  return (request) => {
    if (request.info.verb !== "watch" || list === undefined) return get(request);
    request.query.set("fieldSelector", `metadata.name=${request.info.name}`);
    return list(request);
  };
}

/** Go's http.NotFound. */
export function notFoundText(): BytesResponse {
  const headers = [
    ["Content-Type", "text/plain; charset=utf-8"],
    ["X-Content-Type-Options", "nosniff"],
  ] as const;
  return { kind: "bytes", status: 404, headers, body: "404 page not found\n" };
}
