/** Tokens that join nodes to a cluster. Upstream: plugin/pkg/auth/authenticator/token/bootstrap. */
import { timingSafeEqual } from "node:crypto";
import type { Listers } from "../../admission/plugin.ts";
import type { TokenAuthenticator } from "../authenticator.ts";
import { secretDigest } from "../secret-digest.ts";
import type { Secret } from "../service-account/objects.ts";

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const SECRETS = { group: "", resource: "secrets" };

/** `id.secret`, checked against the Secret bootstrap-token-<id> of kube-system. */
export function bootstrapTokenAuthenticator(
  listers: Listers,
  now: () => number,
): TokenAuthenticator {
  return {
    name: "bootstrap-token",
    async authenticateToken(token) {
      const [, id = "", secretPart = ""] = TOKEN.exec(token) ?? [];
      if (id === "") return undefined;
      const secret = await listers.get<Secret>(SECRETS, "kube-system", `bootstrap-token-${id}`);
      if (secret === undefined || secret.metadata?.deletionTimestamp !== undefined)
        return undefined;
      if (secret.type !== "bootstrap.kubernetes.io/token") return undefined;
      const field = (name: string) => Buffer.from(secret.data?.[name] ?? "", "base64").toString();
      if (field("token-id") !== id || !sameText(field("token-secret"), secretPart))
        return undefined;
      if (isExpired(field("expiration"), now())) return undefined;
      if (field("usage-bootstrap-authentication") !== "true") return undefined;
      const groups = groupsOf(field("auth-extra-groups"));
      if (groups === undefined) return undefined;
      return { user: { name: `system:bootstrap:${id}`, uid: "", groups, extra: {} } };
    },
  };
}

function sameText(a: string, b: string): boolean {
  return timingSafeEqual(secretDigest(a), secretDigest(b));
}

/** A time that can not be read is long past. */
function isExpired(expiration: string, now: number): boolean {
  if (expiration === "") return false;
  const at = Date.parse(expiration);
  return Number.isNaN(at) || at < now;
}

/** Undefined when one of them is not allowed. */
function groupsOf(text: string): readonly string[] | undefined {
  const extra = text === "" ? [] : [...new Set(text.split(","))].filter((one) => one !== "");
  if (!extra.every((group) => GROUP.test(group))) return undefined;
  return [...new Set(["system:bootstrappers", ...extra])].sort();
}
