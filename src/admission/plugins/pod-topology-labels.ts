/** A pod learns its node's zone and region. Upstream: plugin/pkg/admission/podtopologylabels. */
import { type KubeObject, metadataOf } from "../../apimachinery/meta/types.ts";
import type { Binding, Node, Pod } from "../../apis/core/v1/types.ts";
import { isResource } from "../errors.ts";
import type { AdmissionPlugin, Listers } from "../plugin.ts";

const NODES = { group: "", resource: "nodes" };
const LABELS = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

export function podTopologyLabels(listers: Listers): AdmissionPlugin {
  return {
    name: "PodTopologyLabels",

    handles(attributes) {
      const { operation, resource, subresource } = attributes;
      if (operation !== "CREATE") return false;
      const isBinding = resource.resource === "pods" && subresource === "binding";
      return (isBinding && resource.group === "") || isResource(attributes, "", "pods");
    },

    async admit({ object, subresource }) {
      const nodeName =
        subresource === "binding"
          ? (object as Binding).target?.name
          : (object as Pod).spec?.nodeName;
      if (!nodeName) return;
      const node = await listers.get<Node>(NODES, "", nodeName);
      if (node !== undefined) copyLabels(object, node.metadata?.labels ?? {});
    },
  };
}

function copyLabels(object: KubeObject, labels: Readonly<Record<string, string>>): void {
  const found = LABELS.filter((label) => labels[label] !== undefined);
  if (found.length === 0) return;
  const metadata = metadataOf(object);
  const copied = Object.fromEntries(found.map((label) => [label, labels[label] ?? ""]));
  metadata.labels = { ...metadata.labels, ...copied };
}
