/**
 * Nothing is created in a namespace that is not there or is going away, and the system's own
 * namespaces stay. Upstream: apiserver/pkg/admission/plugin/namespace/lifecycle.
 */

import * as api from "../../apimachinery/api/errors.ts";
import { StatusError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { deny } from "../errors.ts";
import type { AdmissionPlugin, Listers } from "../plugin.ts";

const NAMESPACES = { group: "", resource: "namespaces" };
const IMMORTAL = new Set(["default", "kube-system", "kube-public"]);

interface Namespace extends KubeObject {
  status?: { phase?: string };
}

/** How long after a namespace's deletion the cache is not trusted to have seen it. */
const FORCE_FRESH_MS = 30_000;
const FORCED_MAX = 100;

export function namespaceLifecycle(
  listers: Listers,
  now: () => number = Date.now,
): AdmissionPlugin {
  /** Namespaces whose deletion came by here, and until when they are read from the store. */
  const deleted = new Map<string, number>();
  const noteDeletion = (name: string) => {
    deleted.delete(name);
    deleted.set(name, now() + FORCE_FRESH_MS);
    for (const oldest of deleted.keys()) {
      if (deleted.size <= FORCED_MAX) break;
      deleted.delete(oldest);
    }
  };
  const find = async (name: string): Promise<Namespace | undefined> => {
    const cached = await listers.get<Namespace>(NAMESPACES, "", name);
    const isDoubtful = cached?.status?.phase !== "Terminating" && (deleted.get(name) ?? 0) > now();
    if (cached !== undefined && !isDoubtful) return cached;
    return listers.getFresh<Namespace>(NAMESPACES, "", name);
  };
  return {
    name: "NamespaceLifecycle",

    handles({ operation }) {
      return operation === "CREATE" || operation === "UPDATE" || operation === "DELETE";
    },

    async admit(attributes) {
      const { operation, resource, namespace } = attributes;
      const isNamespace = resource.group === "" && resource.resource === "namespaces";
      if (operation === "DELETE" && isNamespace && IMMORTAL.has(attributes.name)) {
        throw deny(attributes, "this namespace may not be deleted");
      }
      if (isNamespace && operation === "DELETE" && !attributes.dryRun) {
        noteDeletion(attributes.name);
      }
      if (isNamespace || namespace === "" || operation === "DELETE") return;
      if (resource.resource === "localsubjectaccessreviews") return;
      const found = await find(namespace);
      if (found === undefined) throw api.notFound(NAMESPACES, namespace);
      if (operation !== "CREATE" || found.status?.phase !== "Terminating") return;
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
      const refusal = deny(attributes, why);
      const cause = {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      };
      const details = { ...refusal.details, causes: [cause] };
      throw new StatusError("Forbidden", refusal.message, { details });
    },
  };
}
