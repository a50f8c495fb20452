/** Upstream: pkg/registry/discovery/endpointslice/strategy.go. */
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import { isDNS1123Subdomain } from "../../../apimachinery/validation/names.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setEndpointSliceDefaults } from "../../../apis/discovery/v1/defaults/endpointslice.ts";
import type { EndpointSlice } from "../../../apis/discovery/v1/types.ts";
import {
  validateEndpointSlice,
  validateEndpointSliceUpdate,
  warningsForEndpointSlice,
} from "../../../apis/discovery/v1/validation/endpointslice.ts";
import { hasChanged } from "../../changed.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, startGeneration } from "../../strategy-parts.ts";

type Slice = Kube<EndpointSlice>;
const GO_NAME = "k8s.io/api/discovery/v1.EndpointSlice";
const HOSTNAME_LABEL = "kubernetes.io/hostname";

/** v1 has no topology map; a node name that the stored slice has in it moves to its field. */
function dropTopology(slice: Slice, old?: Slice): void {
  if (old !== undefined && !hasChanged(slice, old, GO_NAME, "endpoints")) return;
  const names = new Set(
    (old?.endpoints ?? []).map((endpoint) => endpoint.deprecatedTopology?.[HOSTNAME_LABEL]),
  );
  for (const endpoint of slice.endpoints ?? []) {
    const name = endpoint.deprecatedTopology?.[HOSTNAME_LABEL];
    const isKnown = name !== undefined && names.has(name) && isDNS1123Subdomain(name).length === 0;
    if (isKnown) endpoint.nodeName ??= name;
    delete endpoint.deprecatedTopology;
  }
}

/** Everything but metadata, and the labels. */
function isChanged(slice: Slice, old: Slice): boolean {
  if (hasChanged(slice, old, GO_NAME, "addressType", "endpoints", "ports")) return true;
  const labels = (one: Slice) => one.metadata?.labels ?? {};
  return !semanticDeepEqual(labels(slice), labels(old));
}

export const registration: ResourceRegistration<Slice> = {
  group: "discovery.k8s.io",
  resource: "endpointslices",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate(_context, object) {
      startGeneration(object);
      dropTopology(object);
    },
    validate: (_context, object) => validateEndpointSlice(object),
    warningsOnCreate: (_context, object) => [
      ...(object.addressType === "FQDN" ? ["spec.addressType: FQDN endpoints are deprecated"] : []),
      ...warningsForEndpointSlice(object),
    ],
    prepareForUpdate(_context, object, old) {
      if (isChanged(object, old)) {
        metadataOf(object).generation = Number(old.metadata?.generation ?? 0) + 1;
      }
      dropTopology(object, old);
    },
    updateMetadataRules: ["create"],
    validateUpdate: (_context, object, old) => validateEndpointSliceUpdate(object, old),
    warningsOnUpdate: (_context, object) => warningsForEndpointSlice(object),
  },
  defaults: { v1: setEndpointSliceDefaults },
};
