/** Nothing is written into a namespace that is not there. Upstream: plugin/pkg/admission/namespace/exists. */
import { notFound } from "../../apimachinery/api/errors.ts";
import type { AdmissionPlugin, Listers } from "../plugin.ts";

const NAMESPACES = { group: "", resource: "namespaces" };

export function namespaceExists(listers: Listers): AdmissionPlugin {
  return {
    name: "NamespaceExists",

    handles({ operation, namespace, resource }) {
      const isNamespace = resource.group === "" && resource.resource === "namespaces";
      return operation !== "CONNECT" && namespace !== "" && !isNamespace;
    },

    async validate({ namespace }) {
      const found =
        (await listers.get(NAMESPACES, "", namespace)) ??
        (await listers.getFresh(NAMESPACES, "", namespace));
      if (found === undefined) throw notFound(NAMESPACES, namespace);
    },
  };
}
