/** Upstream: pkg/registry/resource/resourceslice/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setResourceSliceDefaults } from "../../../apis/resource/v1/defaults.ts";
import type { Device, ResourceSlice } from "../../../apis/resource/v1/types.ts";
import { validateResourceSlice } from "../../../apis/resource/v1/validation-slice.ts";
import { sliceFromV1, sliceToV1 } from "../../../apis/resource/v1beta1/conversion.ts";
import { setResourceSliceDefaults as setV1beta1Defaults } from "../../../apis/resource/v1beta1/defaults.ts";
import type { ResourceSlice as V1beta1Slice } from "../../../apis/resource/v1beta1/types.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { bumpGeneration, type Kube, startGeneration } from "../../strategy-parts.ts";

type Slice = Kube<ResourceSlice>;

export const registration: ResourceRegistration<Slice> = {
  group: "resource.k8s.io",
  resource: "resourceslices",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    tracksGeneration: true,
    prepareForCreate(context, object) {
      startGeneration(object);
      dropDisabledFields(context, object);
    },
    validate: (_context, object) => validateResourceSlice(object),
    prepareForUpdate(context, object, old) {
      dropDisabledFields(context, object, old);
      bumpGeneration(object, old, "spec");
    },
    validateUpdate: (_context, object, old) => validateResourceSlice(object, old),
  },
  defaults: {
    v1: setResourceSliceDefaults,
    v1beta2: setResourceSliceDefaults,
    v1beta1: (slice) => setV1beta1Defaults(slice as Pick<V1beta1Slice, "spec">),
  },
  converters: { v1beta1: { toStorage: sliceToV1, fromStorage: sliceFromV1 } },
};

const DEVICE_FIELDS: Readonly<Record<string, readonly (keyof Device)[]>> = {
  DRADeviceTaints: ["taints"],
  DRAPartitionableDevices: ["consumesCounters", "nodeName", "nodeSelector", "allNodes"],
  DRADeviceBindingConditions: ["bindsToNode", "bindingConditions", "bindingFailureConditions"],
  DRAConsumableCapacity: ["allowMultipleAllocations"],
  DRANodeAllocatableResources: ["nodeAllocatableResourceMappings"],
};

/** A gate that is off drops its fields, unless the stored slice uses one of them. */
function dropDisabledFields({ gate }: StrategyContext, { spec }: Slice, old?: Slice): void {
  const devices = spec?.devices ?? [];
  const stored = old?.spec?.devices ?? [];
  for (const [feature, fields] of Object.entries(DEVICE_FIELDS)) {
    const used = stored.some((device) => fields.some((name) => device[name] !== undefined));
    if (gate(feature) || used) continue;
    for (const device of devices) for (const name of fields) delete device[name];
  }
  const partitioned =
    old?.spec?.perDeviceNodeSelection !== undefined || old?.spec?.sharedCounters !== undefined;
  if (spec !== undefined && !gate("DRAPartitionableDevices") && !partitioned) {
    delete spec.perDeviceNodeSelection;
    delete spec.sharedCounters;
  }
  const lists = ["ints", "bools", "strings", "versions"] as const;
  const attributes = (list: readonly Device[]) =>
    list.flatMap((device) => Object.values(device.attributes ?? {}));
  const usesLists = attributes(stored).some((one) => lists.some((name) => one[name] !== undefined));
  if (!gate("DRAListTypeAttributes") && !usesLists) {
    for (const one of attributes(devices)) for (const name of lists) delete one[name];
  }
  const policies = (list: readonly Device[]) =>
    list.flatMap((device) => Object.values(device.capacity ?? {}));
  const usesPolicy = policies(stored).some(({ requestPolicy }) => requestPolicy !== undefined);
  if (gate("DRAConsumableCapacity") || usesPolicy) return;
  for (const capacity of policies(devices)) delete capacity.requestPolicy;
}
