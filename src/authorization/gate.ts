/** The one place where a request becomes authorized. Upstream: endpoints/filters/authorization.go. */
import { forbidden, internalError, type StatusError } from "../apimachinery/api/errors.ts";
import type { AuthenticatedRequest, AuthorizedRequest } from "../request/request.ts";
import type { AuthorizationAttributes, Authorizer } from "./authorizer.ts";
import { recordAuthorization } from "./metrics.ts";

const DECISION = "authorization.k8s.io/decision";
const REASON = "authorization.k8s.io/reason";

/** Asks the authorizer; throws 403 in upstream's words unless it allows, 500 when it failed. */
export async function markAuthorized(
  authorizer: Authorizer,
  request: AuthenticatedRequest,
): Promise<AuthorizedRequest> {
  const attributes = attributesOf(request);
  const startedAt = performance.now();
  const result = await authorizer.authorize(attributes);
  recordAuthorization(result, startedAt);
  const { decision, reason, error } = result;
  const annotations = request.auditAnnotations;
  if (decision === "Allow") {
    annotations.set(DECISION, "allow");
    annotations.set(REASON, reason);
    return request as AuthorizedRequest;
  }
  if (error !== undefined) {
    annotations.set(REASON, "internal error");
    throw internalError(error);
  }
  annotations.set(DECISION, "forbid");
  annotations.set(REASON, reason);
  throw forbiddenBy(attributes, reason);
}

/** The 403 for what these attributes ask. Upstream: responsewriters.ForbiddenStatusError. */
export function forbiddenBy(attributes: AuthorizationAttributes, reason: string): StatusError {
  const of = { group: attributes.apiGroup, resource: attributes.resource };
  return forbidden(of, attributes.name, denial(attributes, reason));
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
