/** The one place where a request becomes authorized. Upstream: endpoints/filters/authorization.go. */
import { forbidden } from "../apimachinery/api/errors.ts";
import type { AuthenticatedRequest, AuthorizedRequest } from "../request/request.ts";
import type { AuthorizationAttributes, Authorizer } from "./authorizer.ts";

/** Asks the authorizer; throws 403 in upstream's words unless it allows. */
export async function markAuthorized(
  authorizer: Authorizer,
  request: AuthenticatedRequest,
): Promise<AuthorizedRequest> {
  const attributes = attributesOf(request);
  const result = await authorizer.authorize(attributes);
  request.auditAnnotations.set(
    "authorization.k8s.io/decision",
    result.decision === "Allow" ? "allow" : "forbid",
  );
  if (result.reason !== "") {
    request.auditAnnotations.set("authorization.k8s.io/reason", result.reason);
  }
  if (result.decision === "Allow") return request as AuthorizedRequest;
  const why = denial(attributes, result.reason);
  const of = { group: attributes.apiGroup, resource: attributes.resource };
  throw forbidden(of, attributes.name, why);
}

export function attributesOf({ info, user }: AuthenticatedRequest): AuthorizationAttributes {
  return {
    user,
    verb: info.verb,
    resourceRequest: info.isResourceRequest,
    apiGroup: info.apiGroup,
    apiVersion: info.apiVersion,
    namespace: info.namespace,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    path: info.path,
    ...(info.fieldSelector === undefined ? {} : { fieldSelector: info.fieldSelector }),
    ...(info.labelSelector === undefined ? {} : { labelSelector: info.labelSelector }),
  };
}

/** Upstream: endpoints/handlers/responsewriters/errors.go forbiddenMessage. */
export function denial(attributes: AuthorizationAttributes, reason: string): string {
  const { user, verb, namespace, resource, subresource, apiGroup, path } = attributes;
  const name = JSON.stringify(user.name);
  const tail = reason === "" ? "" : `: ${reason}`;
  if (!attributes.resourceRequest) {
    return `User ${name} cannot ${verb} path ${JSON.stringify(path)}${tail}`;
  }
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const lead = `User ${name} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(apiGroup)}`;
  const where =
    namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return `${lead} ${where}${tail}`;
}
