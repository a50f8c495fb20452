/**
 * Events of core/v1 and of events.k8s.io/v1: one store, in core/v1's shape, two sets of rules.
 * Upstream: pkg/registry/core/event/strategy.go, pkg/apis/events/v1/conversion.go.
 */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { Event } from "../../../apis/core/v1/types.ts";
import {
  validateEventCreate,
  validateEventUpdate,
} from "../../../apis/core/v1/validation/event.ts";
import type { ResourceRegistration, Strategy } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

/** events.k8s.io/v1's names of the fields that core/v1 calls otherwise. */
const RENAMED: readonly (readonly [event: string, core: string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];
const toCoreName = new Map(RENAMED);
const toEventName = new Map(RENAMED.map(([event, core]) => [core, event]));

function renamed(object: KubeObject, names: ReadonlyMap<string, string>, apiVersion: string) {
  const entries = Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value]);
  return { ...Object.fromEntries(entries), apiVersion } as KubeObject;
}

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
  converters: {
    v1: {
      toStorage: (object) => renamed(object, toCoreName, "v1"),
      fromStorage: (object) => renamed(object, toEventName, "events.k8s.io/v1"),
    },
  },
};
