/**
 * Says of every FlowSchema whether its priority level exists: the condition Dangling.
 * Upstream: apiserver/pkg/util/flowcontrol/apf_controller.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { type ApiClient, isConflict, isNotFound } from "../api-client.ts";
import { coalesced } from "../coalesced.ts";
import { Informer } from "../informer.ts";

const ROOT = "/apis/flowcontrol.apiserver.k8s.io/v1";
const DANGLING = "Dangling";

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}
interface FlowSchema extends KubeObject {
  spec?: { priorityLevelConfiguration?: { name?: string } };
  status?: { conditions?: readonly Condition[] };
}

export interface KeepStatusOptions {
  readonly signal: AbortSignal;
  readonly onError: (what: string, error: unknown) => void;
}

/** Follows both collections until `signal` aborts. */
export function keepFlowSchemaStatus(client: ApiClient, options: KeepStatusOptions): void {
  const { signal, onError } = options;
  const schemas = new Map<string, FlowSchema>();
  const levels = new Map<string, KubeObject>();
  const reconcile = coalesced(
    async () => {
      await Promise.all([followsSchemas.synced, followsLevels.synced]);
      for (const schema of schemas.values()) await syncStatus(client, schema, levels);
    },
    { signal, onError: (error) => onError("flow schema status", error) },
  );
  const into = <T extends KubeObject>(known: Map<string, T>) => ({
    onChange(object: T) {
      known.set(object.metadata?.name ?? "", object);
      reconcile();
    },
    onDelete(object: T) {
      known.delete(object.metadata?.name ?? "");
      reconcile();
    },
  });
  const all = { metadataOnly: false, signal };
  const names = { metadataOnly: true, signal };
  const followsSchemas = new Informer(client, `${ROOT}/flowschemas`, into(schemas), all);
  const followsLevels = new Informer(
    client,
    `${ROOT}/prioritylevelconfigurations`,
    into(levels),
    names,
  );
}

async function syncStatus(
  client: ApiClient,
  schema: FlowSchema,
  levels: ReadonlyMap<string, unknown>,
): Promise<void> {
  const level = schema.spec?.priorityLevelConfiguration?.name ?? "";
  const wanted = danglingCondition(level, levels.has(level));
  const conditions = schema.status?.conditions ?? [];
  const found = conditions.find(({ type }) => type === DANGLING);
  const isSame = (["status", "reason", "message"] as const).every(
    (key) => found?.[key] === wanted[key],
  );
  if (isSame) return;
  const others = conditions.filter(({ type }) => type !== DANGLING);
  const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`;
  const status = { conditions: [...others, { ...wanted, lastTransitionTime }] };
  try {
    await client.patch(`${ROOT}/flowschemas/${schema.metadata?.name ?? ""}/status`, { status });
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error; // its event comes
  }
}

function danglingCondition(level: string, exists: boolean): Condition {
  const lead = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  return exists
    ? { type: DANGLING, status: "False", reason: "Found", message: `${lead} and it exists` }
    : {
        type: DANGLING,
        status: "True",
        reason: "NotFound",
        message: `${lead} but there is no such object`,
      };
}
