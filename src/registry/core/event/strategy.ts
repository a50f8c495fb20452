/**
 * Events of core/v1 and of events.k8s.io/v1: one store, in core/v1's shape, two sets of rules.
 * Upstream: pkg/registry/core/event/strategy.go, pkg/apis/events/v1/conversion.go.
 */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { Event } from "../../../apis/core/v1/types.ts";
import {
  validateEventCreate,
  validateEventUpdate,
} from "../../../apis/core/v1/validation/event.ts";
import { fromCoreEvent, toCoreEvent } from "../../../apis/events/v1/conversion.ts";
import type { ResourceRegistration, Strategy } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

const strategy: Strategy<Kube<Event>> = {
  validateName: nameIsDNSSubdomain,
  ownMetadataRules: true,
  allowCreateOnUpdate: true,
  defaultGarbageCollection: "Unsupported",
  validate: ({ requestApiVersion }, object) => validateEventCreate(object, requestApiVersion),
  validateUpdate: ({ requestApiVersion }, object, old) =>
    validateEventUpdate(object, old, requestApiVersion),
};

export const registration: ResourceRegistration<Kube<Event>> = {
  group: "",
  resource: "events",
  strategy,
  defaults: {},
};

export const eventsRegistration: ResourceRegistration<Kube<Event>> = {
  group: "events.k8s.io",
  resource: "events",
  strategy,
  defaults: {},
  converters: { v1: { toStorage: toCoreEvent, fromStorage: fromCoreEvent } },
};
