/** Asks a TokenReview webhook. Upstream: apiserver/plugin/pkg/authenticator/token/webhook. */
import type { WebhookClient } from "../../request/outgoing/webhook-client.ts";
import type { TokenAuthenticator } from "../authenticator.ts";

interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly audiences?: readonly string[];
  readonly error?: string;
}

/** `version` is v1 or v1beta1. Tokens of an answer without audiences are for this server only. */
export function webhookTokenAuthenticator(
  client: WebhookClient,
  version: string,
  apiAudiences: readonly string[],
): TokenAuthenticator {
  return {
    name: "webhook",
    async authenticateToken(token, wanted) {
      const review = {
        kind: "TokenReview",
        apiVersion: `authentication.k8s.io/${version}`,
        metadata: {},
        spec: { token, ...(wanted === undefined ? {} : { audiences: wanted }) },
        status: { user: {} },
      };
      const answer = await client.post(JSON.stringify(review));
      const status = statusOf(answer);
      const given = status.audiences ?? [];
      const audiences = wanted?.filter((one) =>
        (given.length > 0 ? given : apiAudiences).includes(one),
      );
      if (audiences !== undefined && audiences.length === 0) return undefined;
      if (status.authenticated !== true) {
        if (status.error) throw new Error(status.error);
        return undefined;
      }
      const { username = "", uid = "", groups = [], extra = {} } = status.user ?? {};
      const user = { name: username, uid, groups, extra };
      return audiences === undefined ? { user } : { user, audiences };
    },
  };
}

/** Throws unless the answer has the shape of a review: an identity must not come from a guess. */
function statusOf(answer: unknown): ReviewStatus {
  const { status } = (answer ?? {}) as { status?: unknown };
  if (typeof status !== "object" || status === null) throw new Error("webhook: no status");
  const { user = {}, audiences = [] } = status as { user?: unknown; audiences?: unknown };
  const { username = "", uid = "", groups = [], extra = {} } = user as Record<string, unknown>;
  const isList = (value: unknown) =>
    Array.isArray(value) && value.every((one) => typeof one === "string");
  const isText = typeof username === "string" && typeof uid === "string";
  const isMap = typeof extra === "object" && extra !== null && Object.values(extra).every(isList);
  if (!isText || !isMap || !isList(groups) || !isList(audiences)) {
    throw new Error("webhook: malformed status");
  }
  return status as ReviewStatus;
}
