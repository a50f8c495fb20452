/** Settings of plugins, as `--admission-control-config-file` gives them. Read by config.ts. */
import type { EventLimit } from "./plugins/event-rate-limit.ts";
import type { PodTolerationConfig } from "./plugins/pod-toleration-restriction.ts";
import type { Exemptions } from "./pod-security/namespaces.ts";
import type { Policy } from "./pod-security/policy.ts";
import type { LimitedResource } from "./quota/check.ts";

/** What the file says, by plugin; absent: the plugin's own defaults. */
export interface PluginConfigs {
  readonly podSecurity?: { readonly defaults: Policy; readonly exemptions: Exemptions };
  readonly podNodeSelector?: Readonly<Record<string, string>>;
  readonly podTolerationRestriction?: PodTolerationConfig;
  readonly eventRateLimit?: readonly EventLimit[];
  readonly limitedResources?: readonly LimitedResource[];
  readonly imagePolicy?: ImagePolicyConfig;
  /** How webhooks are authenticated to: path of a kubeconfig. */
  readonly mutatingWebhookKubeConfig?: string;
  readonly validatingWebhookKubeConfig?: string;
}
export interface ImagePolicyConfig {
  readonly kubeConfigFile: string;
  readonly allowTtlMs: number;
  readonly denyTtlMs: number;
  readonly retryBackoffMs: number;
  readonly defaultAllow: boolean;
}

/** The file can not be used; the message names the part that is wrong. */
export class AdmissionConfigError extends Error {
  override readonly name = "AdmissionConfigError";
}
