/**
 * ComponentStatuses: computed when somebody asks, never stored, and deprecated since v1.19.
 * Upstream: pkg/registry/core/componentstatus/rest.go.
 */
import type { ComponentStatus } from "../../../apis/core/v1/types.ts";

export type ProbeResult =
  | { readonly healthy: true; readonly message: string }
  | { readonly healthy: false; readonly message: string; readonly error: string }
  /** The probe itself did not work. */
  | { readonly healthy: undefined; readonly error: string };

/** A component and how to ask it; `etcd-0`, `scheduler`, `controller-manager`. */
export interface ComponentProbe {
  readonly name: string;
  probe(): Promise<ProbeResult>;
}

/** One component's status as clients see it. */
export async function componentStatus({ name, probe }: ComponentProbe): Promise<ComponentStatus> {
  const result = await probe().catch((error: unknown): ProbeResult => {
    return { healthy: undefined, error: error instanceof Error ? error.message : String(error) };
  });
  const status = result.healthy === undefined ? "Unknown" : result.healthy ? "True" : "False";
  return {
    kind: "ComponentStatus",
    apiVersion: "v1",
    metadata: { name },
    conditions: [
      {
        type: "Healthy",
        status,
        ...("message" in result && result.message !== "" ? { message: result.message } : {}),
        ...("error" in result ? { error: result.error } : {}),
      },
    ],
  };
}

/** All of them, asked at once, by name. */
export async function componentStatuses(
  probes: readonly ComponentProbe[],
): Promise<ComponentStatus[]> {
  const all = await Promise.all(probes.map(componentStatus));
  return all.sort((a, b) => ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1));
}
