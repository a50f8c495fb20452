/** Upstream: pkg/registry/core/node/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setNodeDefaults } from "../../../apis/core/v1/defaults/node.ts";
import type { Node } from "../../../apis/core/v1/types.ts";
import {
  validateNode,
  validateNodeUpdate,
  warningsForNode,
} from "../../../apis/core/v1/validation/node.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { type Kube, keepFields } from "../../strategy-parts.ts";

/** Fields behind gates that are off, unless the stored node has them. */
function dropDisabledFields({ gate }: StrategyContext, object: Kube<Node>, old?: Kube<Node>): void {
  const status = object.status as Record<string, unknown> | undefined;
  if (status === undefined) return;
  const gated = [["declaredFeatures", "NodeDeclaredFeatures"]] as const;
  const before = old?.status as Record<string, unknown> | undefined;
  for (const [member, name] of gated) {
    if (!gate(name) && before?.[member] === undefined) delete status[member];
  }
}

export const registration: ResourceRegistration<Kube<Node>> = {
  group: "",
  resource: "nodes",
  strategy: {
    validateName: nameIsDNSSubdomain,
    resetFields: ["status"],
    prepareForCreate: (context, object) => dropDisabledFields(context, object),
    validate: (_context, object) => validateNode(object),
    warningsOnCreate: (_context, object) => warningsForNode(object),
    prepareForUpdate(context, object, old) {
      keepFields(object, old, "status");
      dropDisabledFields(context, object, old);
    },
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object, old) => [
      ...validateNode(object, old),
      ...validateNodeUpdate(object, old),
    ],
    warningsOnUpdate: (_context, object) => warningsForNode(object),
    subresources: {
      status: {
        prepareForUpdate(context, object, old) {
          keepFields(object, old, "spec");
          dropDisabledFields(context, object, old);
        },
        validateUpdate: (_context, object, old) => validateNodeUpdate(object, old),
        resetFields: ["spec"],
      },
    },
  },
  defaults: { v1: setNodeDefaults },
};
