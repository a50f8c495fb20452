/** Every built-in resource's strategy, defaults and hooks. */
import { registrations as coreAndNetworking } from "./core-and-networking.ts";
import { registrations as otherGroups } from "./other-groups.ts";
import type { ResourceRegistration } from "./rest/strategy.ts";
import { registrations as workloads } from "./workloads.ts";

export const registrations: readonly ResourceRegistration[] = [
  ...workloads,
  ...coreAndNetworking,
  ...otherGroups,
];
