/**
 * A backend judges every image before a pod may use it.
 * Upstream: plugin/pkg/admission/imagepolicy.
 */
import type { StatusError } from "../../apimachinery/api/errors.ts";
import type { Pod } from "../../apis/core/v1/types.ts";
import { deny } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly } from "../plugin.ts";

const AUDIT_PREFIX = "imagepolicywebhook.image-policy.k8s.io/";
/** Answers kept at most; the least lately used go first. */
const CACHE_SIZE = 1024;

export interface ImagePolicyOptions {
  readonly allowTtlMs: number;
  readonly denyTtlMs: number;
  /** What a backend that can not be asked means. */
  readonly defaultAllow: boolean;
  /** Posts an ImageReview and resolves to the answer's JSON; rejects after its last retry. */
  readonly review: (body: string) => Promise<unknown>;
  readonly now?: () => number;
}

interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

type Request = DeepReadonly<Attributes>;

export function imagePolicyWebhook(options: ImagePolicyOptions): AdmissionPlugin {
  const reviewer = new ImageReviewer(options);
  return {
    name: "ImagePolicyWebhook",

    handles({ operation, resource, subresource }) {
      const isWrite = operation === "CREATE" || operation === "UPDATE";
      const isPods = resource.group === "" && resource.resource === "pods";
      return isWrite && isPods && (subresource === "" || subresource === "ephemeralcontainers");
    },

    async validate(attributes) {
      const spec = reviewSpec(attributes);
      if (spec.containers.length === 0) return;
      let verdict: Verdict;
      try {
        verdict = await reviewer.verdict(spec);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (!options.defaultAllow) throw deny(attributes, why);
        attributes.addAnnotation(`${AUDIT_PREFIX}failed-open`, "true");
        return;
      }
      for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
        attributes.addAnnotation(AUDIT_PREFIX + key, value);
      }
      if (!verdict.allowed) throw refusal(attributes, verdict.reason);
    },
  };
}

function refusal(attributes: Request, reason: string): StatusError {
  const why =
    reason === ""
      ? "one or more images rejected by webhook backend"
      : `image policy webhook backend denied one or more images: ${reason}`;
  return deny(attributes, why);
}

interface ReviewSpec {
  readonly containers: readonly { readonly image: string }[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly namespace: string;
}

function reviewSpec({ object, namespace, subresource }: Request): ReviewSpec {
  const { spec, metadata } = object as DeepReadonly<Pod>;
  const own =
    subresource === "ephemeralcontainers"
      ? (spec?.ephemeralContainers ?? [])
      : [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const annotations = Object.entries(metadata?.annotations ?? {}).filter(([key]) =>
    key.includes(".image-policy.k8s.io/"),
  );
  return {
    containers: own.map(({ image = "" }) => ({ image })),
    annotations: Object.fromEntries(annotations),
    namespace,
  };
}

class ImageReviewer {
  readonly #options: ImagePolicyOptions;
  readonly #cache = new Map<string, { readonly verdict: Verdict; readonly until: number }>();

  constructor(options: ImagePolicyOptions) {
    this.#options = options;
  }

  async verdict(spec: ReviewSpec): Promise<Verdict> {
    const now = this.#options.now ?? Date.now;
    const key = JSON.stringify(spec);
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.until > now()) {
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached.verdict;
    }
    const kind = { kind: "ImageReview", apiVersion: "imagepolicy.k8s.io/v1alpha1" };
    const body = { ...kind, metadata: {}, spec, status: { allowed: false } };
    const verdict = verdictOf(await this.#options.review(JSON.stringify(body)));
    const ttl = verdict.allowed ? this.#options.allowTtlMs : this.#options.denyTtlMs;
    this.#cache.delete(key);
    if (ttl > 0) this.#cache.set(key, { verdict, until: now() + ttl });
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= CACHE_SIZE) break;
      this.#cache.delete(oldest);
    }
    return verdict;
  }
}

/** Anything but a clear yes is a no. */
function verdictOf(answer: unknown): Verdict {
  const status = fields(fields(answer)["status"]);
  const { allowed, reason } = status;
  const notes = Object.entries(fields(status["auditAnnotations"]));
  return {
    allowed: allowed === true,
    reason: typeof reason === "string" ? reason : "",
    auditAnnotations: Object.fromEntries(notes.map(([key, value]) => [key, String(value)])),
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
