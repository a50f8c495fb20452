/**
 * Events come in floods; token buckets keep them from drowning the store.
 * Upstream: plugin/pkg/admission/eventratelimit.
 */
import { tooManyRequests } from "../../apimachinery/api/errors.ts";
import type { Event } from "../../apis/core/v1/types.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly } from "../plugin.ts";

export type EventLimitType = "Server" | "Namespace" | "User" | "SourceAndObject";
export interface EventLimit {
  readonly type: EventLimitType;
  readonly qps: number;
  readonly burst: number;
  /** Buckets kept, least lately used go first; 0: 4096. */
  readonly cacheSize?: number;
}

const CACHE_SIZE = 4096;
const RETRY_AFTER_SECONDS = 1;

type Request = DeepReadonly<Attributes>;

export function eventRateLimit(
  limits: readonly EventLimit[],
  now: () => number = Date.now,
): AdmissionPlugin {
  const enforcers = limits.map((limit) => new Enforcer(limit, now));
  return {
    name: "EventRateLimit",

    handles({ operation, resource, subresource, dryRun }) {
      const isWrite = operation === "CREATE" || operation === "UPDATE";
      const isEvent =
        resource.resource === "events" &&
        (resource.group === "" || resource.group === "events.k8s.io");
      return isWrite && isEvent && subresource === "" && !dryRun;
    },

    validate(attributes) {
      // Each bucket gives its token, also when another refuses; the last refusal is told.
      const refusals = enforcers.map((one) => one.refusal(attributes)).filter(Boolean);
      const [text] = refusals;
      if (text === undefined) return;
      const all = refusals.length === 1 ? text : `[${refusals.join(", ")}]`;
      throw tooManyRequests(all, RETRY_AFTER_SECONDS);
    },
  };
}

interface Bucket {
  tokens: number;
  at: number;
}

class Enforcer {
  readonly #limit: EventLimit;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: EventLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  refusal(attributes: Request): string | undefined {
    const { type, qps, burst, cacheSize } = this.#limit;
    const key = keyOf(type, attributes);
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= (cacheSize || CACHE_SIZE)) break;
      this.#buckets.delete(oldest);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * qps);
    bucket.at = now;
    if (bucket.tokens < 1) return `limit reached on type ${type} for key ${key}`;
    bucket.tokens -= 1;
    return undefined;
  }
}

function keyOf(type: EventLimitType, { namespace, user, object }: Request): string {
  switch (type) {
    case "Server":
      return "";
    case "Namespace":
      return namespace;
    case "User":
      return user.name;
    case "SourceAndObject": {
      const { source, involvedObject: of } = object as DeepReadonly<Event>;
      const parts = [source?.component, source?.host, of?.kind, of?.namespace, of?.name, of?.uid];
      return [...parts, of?.apiVersion].map((part) => part ?? "").join("");
    }
  }
}
