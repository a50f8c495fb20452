/** May somebody do something? Upstream: pkg/registry/authorization/{subject,self,local}subjectaccessreview. */
import * as api from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { ErrorList } from "../../apimachinery/validation/field.ts";
import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from "../../apis/authorization/v1/types.ts";
import {
  validateLocalSubjectAccessReview,
  validateSelfSubjectAccessReview,
  validateSubjectAccessReview,
} from "../../apis/authorization/v1/validation.ts";
import type { AuthorizationAttributes } from "../../authorization/authorizer.ts";
import type { Handler } from "../../request/request.ts";
import type { UserInfo } from "../../request/user-info.ts";
import type { RequestScope } from "../api-context.ts";
import { type Review, reviewHandler } from "./review.ts";
import { selectorsOf } from "./review-selectors.ts";

type Kube<T> = Omit<T, "metadata"> & KubeObject;

/** Upstream names no kind here, so the message starts with a bare dot. */
function refuse(errors: ErrorList): void {
  if (errors.length > 0) throw api.invalid({ group: "authorization.k8s.io", kind: "" }, "", errors);
}

export function subjectAccessReview(scope: RequestScope): Handler {
  const review: Review<Kube<SubjectAccessReview>> = {
    validate: (one) => refuse(validateSubjectAccessReview(one)),
    answer: async (one) => {
      const spec = one.spec ?? {};
      return { ...one, status: await decide(scope, spec, userOf(spec)) } as KubeObject;
    },
  };
  return reviewHandler(scope, review);
}

export function localSubjectAccessReview(scope: RequestScope): Handler {
  const review: Review<Kube<LocalSubjectAccessReview>> = {
    validate: (one) => refuse(validateLocalSubjectAccessReview(one)),
    answer: async (one) => {
      const spec = one.spec ?? {};
      return { ...one, status: await decide(scope, spec, userOf(spec)) } as KubeObject;
    },
  };
  return reviewHandler(scope, review);
}

export function selfSubjectAccessReview(scope: RequestScope): Handler {
  const review: Review<Kube<SelfSubjectAccessReview>> = {
    validate: (one) => refuse(validateSelfSubjectAccessReview(one)),
    answer: async (one, { user }) =>
      ({ ...one, status: await decide(scope, one.spec ?? {}, user) }) as KubeObject,
  };
  return reviewHandler(scope, review);
}

function userOf({
  user = "",
  uid = "",
  groups = [],
  extra = {},
}: SubjectAccessReviewSpec): UserInfo {
  return { name: user, uid, groups, extra };
}

type Asked = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

async function decide(
  { api: shared }: RequestScope,
  spec: Asked,
  user: UserInfo,
): Promise<SubjectAccessReviewStatus> {
  const problems: string[] = [];
  const attributes = attributesFrom(spec, user, problems);
  const { decision, reason, error } = await shared.authorizer.authorize(attributes);
  const errors = error === undefined ? problems : [error, ...problems];
  const text = errors.length > 1 ? `[${errors.join(", ")}]` : (errors[0] ?? "");
  return {
    allowed: decision === "Allow",
    ...(decision === "Deny" ? { denied: true } : {}),
    ...(reason === "" ? {} : { reason }),
    ...(text === "" ? {} : { evaluationError: text }),
  };
}

/** Upstream: pkg/registry/authorization/util/helpers.go. */
function attributesFrom(
  { resourceAttributes: resource, nonResourceAttributes: other }: Asked,
  user: UserInfo,
  problems: string[],
): AuthorizationAttributes {
  const nothing = { apiGroup: "", apiVersion: "", namespace: "", resource: "", subresource: "" };
  if (resource === undefined) {
    const { path = "", verb = "" } = other ?? {};
    return { ...nothing, user, verb, path, resourceRequest: false, name: "" };
  }
  return {
    user,
    verb: resource.verb ?? "",
    resourceRequest: true,
    apiGroup: resource.group ?? "",
    apiVersion: resource.version || "*",
    namespace: resource.namespace ?? "",
    resource: resource.resource ?? "",
    subresource: resource.subresource ?? "",
    name: resource.name ?? "",
    path: "",
    ...selectorsOf(resource, problems),
  };
}
