/** Resources that are questions, not objects: reviews and bindings. POST only. */
import type { Handler } from "../../request/request.ts";
import type { RequestScope } from "../api-context.ts";
import type { MethodHandlers } from "../routes.ts";
import { bindPod } from "../subresources/binding.ts";
import { unimplemented } from "../subresources/unimplemented.ts";
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  subjectAccessReview,
} from "./access-reviews.ts";
import { selfSubjectReview, tokenReview } from "./authentication-reviews.ts";
import { selfSubjectRulesReview } from "./rules-review.ts";

const posts: Readonly<Record<string, (scope: RequestScope) => Handler>> = {
  "bindings.": (scope) => bindPod(scope, false),
  "tokenreviews.authentication.k8s.io": tokenReview,
  "selfsubjectreviews.authentication.k8s.io": selfSubjectReview,
  "subjectaccessreviews.authorization.k8s.io": subjectAccessReview,
  "localsubjectaccessreviews.authorization.k8s.io": localSubjectAccessReview,
  "selfsubjectaccessreviews.authorization.k8s.io": selfSubjectAccessReview,
  "selfsubjectrulesreviews.authorization.k8s.io": selfSubjectRulesReview,
};

/** Undefined for resources that are stored. */
export function virtualHandlers(scope: RequestScope): MethodHandlers | undefined {
  const { resource } = scope;
  if (resource.storage !== undefined) return undefined;
  const name = `${resource.gvr.resource}.${resource.gvr.group}`;
  return { POST: posts[name]?.(scope) ?? unimplemented(name) };
}
