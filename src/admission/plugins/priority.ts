/**
 * A pod's priority is its class's number; nobody writes the number by hand.
 * Upstream: plugin/pkg/admission/priority.
 */
import type { Pod } from "../../apis/core/v1/types.ts";
import type { PriorityClass } from "../../apis/scheduling/v1/types.ts";
import { deny, isResource } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly, Listers } from "../plugin.ts";

const PRIORITY_CLASSES = { group: "scheduling.k8s.io", resource: "priorityclasses" };
const DEFAULT_PREEMPTION = "PreemptLowerPriority";

export function priority(listers: Listers): AdmissionPlugin {
  const defaultClass = async (): Promise<PriorityClass | undefined> => {
    const classes = await listers.list<PriorityClass>(PRIORITY_CLASSES, "");
    const defaults = classes.filter(({ globalDefault }) => globalDefault);
    return [...defaults].sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  };

  const admitPod = async (attributes: Attributes<Pod>) => {
    const { object, operation, oldObject } = attributes;
    object.spec ??= {};
    const { spec } = object;
    if (operation === "UPDATE") {
      const old = oldObject?.spec;
      if (spec.priority === undefined && old?.priority !== undefined) spec.priority = old.priority;
      if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined) {
        spec.preemptionPolicy = old.preemptionPolicy;
      }
      return;
    }
    const found = spec.priorityClassName
      ? await listers.get<PriorityClass>(PRIORITY_CLASSES, "", spec.priorityClassName)
      : await defaultClass();
    if (spec.priorityClassName && found === undefined) {
      const why = `no PriorityClass with name ${spec.priorityClassName} was found`;
      throw deny(attributes as DeepReadonly<Attributes>, why);
    }
    if (found?.metadata?.name) spec.priorityClassName = found.metadata.name;
    setPriority(attributes, found?.value ?? 0, found?.preemptionPolicy ?? DEFAULT_PREEMPTION);
  };

  return {
    name: "Priority",

    handles(attributes) {
      const { operation } = attributes;
      if (operation !== "CREATE" && operation !== "UPDATE") return false;
      const isClass = isResource(attributes, "scheduling.k8s.io", "priorityclasses");
      return isClass || isResource(attributes, "", "pods");
    },

    async admit(attributes) {
      if (attributes.resource.resource === "pods") await admitPod(attributes as Attributes<Pod>);
    },

    async validate(attributes) {
      if (attributes.resource.resource !== "priorityclasses") return;
      const next = attributes.object as PriorityClass;
      if (!next.globalDefault) return;
      const current = await defaultClass();
      const name = current?.metadata?.name;
      if (current === undefined || name === next.metadata?.name) return;
      const why = `PriorityClass ${name} is already marked as default. Only one default can exist`;
      throw deny(attributes, why);
    },
  };
}

function setPriority(attributes: Attributes<Pod>, value: number, policy: string): void {
  const { spec } = attributes.object;
  if (spec === undefined) return;
  if (spec.priority !== undefined && spec.priority !== value) {
    const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
    throw deny(attributes as DeepReadonly<Attributes>, why);
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const why = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
    throw deny(attributes as DeepReadonly<Attributes>, why);
  }
  spec.priority = value;
  spec.preemptionPolicy = policy;
}
