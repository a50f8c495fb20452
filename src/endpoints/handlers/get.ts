/** GET of one object. Upstream: handlers/get.go. */
import * as api from "../../apimachinery/api/errors.ts";
import { getObject } from "../../registry/generic/store.ts";
import type { Handler } from "../../request/request.ts";
import { namespaceOf, type RequestScope } from "../api-context.ts";
import { negotiate } from "../negotiation.ts";
import { resourceVersionError } from "../options.ts";
import { OBJECT_TRANSFORMATIONS, respondStored } from "../respond.ts";
import { mediaTypesOf } from "./media-types.ts";

export function getResource(scope: RequestScope): Handler {
  const { resource } = scope;
  const offer = {
    mediaTypes: mediaTypesOf(resource),
    transformations: OBJECT_TRANSFORMATIONS,
  };
  return async (request) => {
    const negotiated = negotiate(request, offer);
    const version = request.query.get("resourceVersion") ?? "";
    if (request.query.get("export") === "true") {
      throw api.badRequest("the export parameter, deprecated since v1.14, is no longer supported");
    }
    const namespace = namespaceOf(request, resource);
    const at = version === "" || version === "0" ? version : revisionOf(version);
    const stored = await getObject(resource, namespace, request.info.name, at);
    return respondStored(request, resource, negotiated, 200, stored);
  };
}

function revisionOf(text: string): number | "0" {
  const problem = resourceVersionError(text);
  if (problem !== undefined) throw api.badRequest(`invalid resource version: ${problem}`);
  const revision = Number(text);
  return revision === 0 ? "0" : revision;
}
