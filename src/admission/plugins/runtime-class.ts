/** A pod's RuntimeClass brings its overhead and its place. Upstream: plugin/pkg/admission/runtimeclass. */
import type { Pod } from "../../apis/core/v1/types.ts";
import type { RuntimeClass } from "../../apis/node/v1/types.ts";
import { deny, isResource } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly, Listers } from "../plugin.ts";
import { mergeTolerations } from "../tolerations.ts";

const RUNTIME_CLASSES = { group: "node.k8s.io", resource: "runtimeclasses" };

export function runtimeClass(listers: Listers): AdmissionPlugin<Pod> {
  const classOf = async (attributes: DeepReadonly<Attributes<Pod>>) => {
    const name = attributes.object.spec?.runtimeClassName;
    if (name === undefined) return undefined;
    const found =
      (await listers.get<RuntimeClass>(RUNTIME_CLASSES, "", name)) ??
      (await listers.getFresh<RuntimeClass>(RUNTIME_CLASSES, "", name));
    if (found !== undefined) return found;
    const why = `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`;
    throw deny(attributes as DeepReadonly<Attributes>, why);
  };

  return {
    name: "RuntimeClass",

    handles(attributes) {
      const isPod = isResource(attributes as DeepReadonly<Attributes>, "", "pods");
      return attributes.operation === "CREATE" && isPod;
    },

    async admit(attributes) {
      const found = await classOf(attributes as DeepReadonly<Attributes<Pod>>);
      if (found === undefined) return;
      setOverhead(attributes, found);
      setScheduling(attributes, found);
    },

    async validate(attributes) {
      const found = await classOf(attributes);
      const { overhead } = attributes.object.spec ?? {};
      const fixed = found?.overhead?.podFixed;
      if (overhead === undefined || sameResources(overhead, fixed)) return;
      const why =
        fixed === undefined
          ? "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
          : "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
      throw deny(attributes as DeepReadonly<Attributes>, why);
    },
  };
}

function sameResources(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b ?? {}).length && keys.every((key) => a[key] === b?.[key]);
}

function setOverhead(attributes: Attributes<Pod>, { overhead }: RuntimeClass): void {
  const { spec } = attributes.object;
  if (spec === undefined || overhead === undefined) return;
  if (spec.overhead !== undefined && !sameResources(spec.overhead, overhead.podFixed)) {
    const why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
    throw deny(attributes as DeepReadonly<Attributes>, why);
  }
  if (overhead.podFixed !== undefined) spec.overhead = { ...overhead.podFixed };
}

function setScheduling(attributes: Attributes<Pod>, { scheduling }: RuntimeClass): void {
  const { spec } = attributes.object;
  if (spec === undefined || scheduling === undefined) return;
  const selector = { ...spec.nodeSelector };
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    if (selector[key] !== undefined && selector[key] !== value) {
      const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${selector[key]}`;
      throw deny(attributes as DeepReadonly<Attributes>, why);
    }
    selector[key] = value;
  }
  if (Object.keys(selector).length > 0) spec.nodeSelector = selector;
  const own = spec.tolerations ?? [];
  const added = scheduling.tolerations ?? [];
  if (added.length > 0) spec.tolerations = mergeTolerations(own, added);
}
