/**
 * Sends every pull past the registry's own access check: otherwise a private image that a node
 * already has is free to any pod that knows its name. Upstream: plugin/pkg/admission/alwayspullimages.
 */
import { errorText, notSupported, Path } from "../../apimachinery/validation/field.ts";
import type { Pod } from "../../apis/core/v1/types.ts";
import { aggregateTexts, deny } from "../errors.ts";
import type { AdmissionPlugin, DeepReadonly } from "../plugin.ts";

const SPEC = Path.root("spec");
const LISTS = ["initContainers", "containers", "ephemeralContainers"] as const;

export const alwaysPullImages: AdmissionPlugin = {
  name: "AlwaysPullImages",

  handles({ operation, resource, subresource, object, oldObject }) {
    if (resource.group !== "" || resource.resource !== "pods") return false;
    if (subresource !== "" && subresource !== "ephemeralcontainers") return false;
    if (operation === "CREATE") return true;
    return operation === "UPDATE" && bringsImages(object as Pod, oldObject as Pod | undefined);
  },

  admit({ object }) {
    const { spec } = object as Pod;
    for (const list of LISTS) {
      for (const container of spec?.[list] ?? []) container.imagePullPolicy = "Always";
    }
    for (const { image } of spec?.volumes ?? []) {
      if (image !== undefined) image.pullPolicy = "Always";
    }
  },

  // A plugin that runs after our admit() can set the policy back: check what will be stored.
  validate(attributes) {
    const { spec } = attributes.object as DeepReadonly<Pod>;
    const wrong = LISTS.flatMap((list) =>
      (spec?.[list] ?? []).map((one, i) => ({
        at: SPEC.child(list).index(i).child("imagePullPolicy"),
        value: one.imagePullPolicy ?? "",
      })),
    );
    for (const [i, { image }] of (spec?.volumes ?? []).entries()) {
      if (image === undefined) continue;
      const at = SPEC.child("volumes").index(i).child("image").child("pullPolicy");
      wrong.push({ at, value: image.pullPolicy ?? "" });
    }
    const texts = wrong
      .filter(({ value }) => value !== "Always")
      .map(({ at, value }) => errorText(notSupported(at, value, ["Always"])));
    if (texts.length > 0) throw deny(attributes, aggregateTexts(texts));
  },
};

/** Policies do not change on their own; only an image that is new can be one the pod may not have. */
function bringsImages(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod> | undefined): boolean {
  const known = new Set(imagesOf(old));
  return imagesOf(pod).some((image) => !known.has(image));
}

function imagesOf(pod: DeepReadonly<Pod> | undefined): readonly string[] {
  const containers = LISTS.flatMap((list) => pod?.spec?.[list] ?? []);
  const volumes = (pod?.spec?.volumes ?? []).map(({ image }) => image?.reference ?? "");
  return [...containers.map(({ image }) => image ?? ""), ...volumes];
}
