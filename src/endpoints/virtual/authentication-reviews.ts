/** Who is this? Upstream: pkg/registry/authentication/{tokenreview,selfsubjectreview}. */
import * as api from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { TokenReview, TokenReviewStatus } from "../../apis/authentication/v1/types.ts";
import { secondsOf } from "../../registry/generic/store.ts";
import type { Handler } from "../../request/request.ts";
import type { UserInfo } from "../../request/user-info.ts";
import type { RequestScope } from "../api-context.ts";
import { reviewHandler } from "./review.ts";

type Review = Omit<TokenReview, "metadata"> & KubeObject;

export function tokenReview(scope: RequestScope): Handler {
  return reviewHandler<Review>(scope, {
    validate: ({ spec }) => {
      if (spec?.token) return;
      throw api.badRequest("token is required for TokenReview in authentication");
    },
    answer: async (review) => ({ ...review, status: await statusOf(scope, review) }) as KubeObject,
  });
}

async function statusOf(
  { api: shared }: RequestScope,
  { spec }: Review,
): Promise<TokenReviewStatus> {
  const { tokenAuthenticator, apiAudiences } = shared;
  const token = spec?.token ?? "";
  const asked = spec?.audiences ?? [];
  const audiences = asked.length > 0 ? asked : apiAudiences;
  try {
    const found = await tokenAuthenticator?.authenticateToken(
      token,
      audiences.length > 0 ? audiences : undefined,
    );
    if (found === undefined) return { authenticated: false, user: {} };
    return {
      authenticated: true,
      user: userInfoObject(found.user),
      audiences: [...(found.audiences ?? [])],
    };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { authenticated: false, user: {}, error: text };
  }
}

export function selfSubjectReview(scope: RequestScope): Handler {
  return reviewHandler<KubeObject>(scope, {
    answer: async (_review, { user }) =>
      ({
        metadata: { creationTimestamp: secondsOf(scope.api.now()) },
        status: { userInfo: userInfoObject(user) },
      }) as KubeObject,
  });
}

/** A user as authentication.k8s.io and audit events print it. */
export function userInfoObject({ name, uid, groups, extra }: UserInfo) {
  const hasExtra = Object.keys(extra).length > 0;
  return {
    ...(name === "" ? {} : { username: name }),
    ...(uid === "" ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(hasExtra ? { extra: { ...extra } as Record<string, string[]> } : {}),
  };
}
