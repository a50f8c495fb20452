/**
 * A running pod grows only as far as its node could ever give. Upstream: plugin/pkg/admission/podresize.
 */
import { isDeepStrictEqual } from "node:util";
import { StatusError } from "../../apimachinery/api/errors.ts";
import {
  compareQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
} from "../../apimachinery/quantity.ts";
import type { Node, Pod } from "../../apis/core/v1/types.ts";
import { deny } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly, Listers } from "../plugin.ts";
import { podResources, resourceList } from "../resource-list.ts";

const NODES = { group: "", resource: "nodes" };
const ZERO = parseQuantity("0");

export function podResizeValidator(listers: Listers): AdmissionPlugin {
  return {
    name: "PodResizeValidator",

    handles({ operation, resource, subresource }) {
      const isPods = resource.group === "" && resource.resource === "pods";
      return operation === "UPDATE" && isPods && subresource === "resize";
    },

    async validate(attributes) {
      const pod = attributes.object as DeepReadonly<Pod>;
      const old = attributes.oldObject as DeepReadonly<Pod> | undefined;
      const nodeName = pod.spec?.nodeName ?? "";
      if (nodeName === "" || isDeepStrictEqual(pod.spec, old?.spec)) return;
      const node = await listers.get<Node>(NODES, "", nodeName);
      if (node === undefined) {
        throw deny(attributes, `node ${JSON.stringify(nodeName)} not found`);
      }
      const os = node.metadata?.labels?.["kubernetes.io/os"];
      if (os !== undefined && os !== "linux") {
        const subject = `node ${JSON.stringify(nodeName)} is ${JSON.stringify(os)}`;
        const why = `pod resize is only supported on linux nodes, ${subject}`;
        throw withCause(attributes, why, "UnsupportedPlatform");
      }
      const why = tooMuch(pod, node);
      if (why !== undefined) throw withCause(attributes, why, "NodeCapacity");
    },
  };
}

function withCause(attributes: DeepReadonly<Attributes>, why: string, reason: string) {
  const { message, details } = deny(attributes, why);
  return new StatusError("Forbidden", message, { details: { ...details, causes: [{ reason }] } });
}

function tooMuch(pod: DeepReadonly<Pod>, { status }: Node): string | undefined {
  const options = { useStatus: false, overhead: true, podLevel: true };
  const requests = podResources(pod, "requests", options);
  const allocatable = resourceList(status?.allocatable);
  const parts = [
    { name: "cpu", print: quantityMilliValue },
    { name: "memory", print: quantityValue },
  ].flatMap(({ name, print }) => {
    const asked = requests.get(name) ?? ZERO;
    const given = allocatable.get(name) ?? ZERO;
    if (compareQuantity(asked, given) <= 0) return [];
    return [`${name}, requested: ${print(asked)}, allocatable: ${print(given)}`];
  });
  if (parts.length === 0) return undefined;
  return `node didn't have enough allocatable resources: ${parts.join("; ")}`;
}
