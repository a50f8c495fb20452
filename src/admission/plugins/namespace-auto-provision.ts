/** Whoever creates an object has its namespace made. Upstream: plugin/pkg/admission/namespace/autoprovision. */
import type { AdmissionPlugin, Listers, ObjectWriter } from "../plugin.ts";

const NAMESPACES = { group: "", resource: "namespaces" };

export function namespaceAutoProvision(listers: Listers, writer: ObjectWriter): AdmissionPlugin {
  return {
    name: "NamespaceAutoProvision",

    handles({ operation, namespace, resource, dryRun }) {
      const isNamespace = resource.group === "" && resource.resource === "namespaces";
      return operation === "CREATE" && namespace !== "" && !isNamespace && !dryRun;
    },

    async admit({ namespace }) {
      const found = await listers.get(NAMESPACES, "", namespace);
      if (found === undefined) await writer.createNamespace(namespace);
    },
  };
}
