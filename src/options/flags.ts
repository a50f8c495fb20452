/** Every flag, in upstream's groups and their order. */
import type { FlagTable, FlagValues } from "./flag-spec.ts";
import { admissionFlags, apiEnablementFlags, egressFlags } from "./groups/api-enablement.ts";
import { auditingFlags } from "./groups/auditing.ts";
import { authenticationFlags } from "./groups/authentication.ts";
import { authorizationFlags } from "./groups/authorization.ts";
import { etcdFlags } from "./groups/etcd.ts";
import { featuresFlags } from "./groups/features.ts";
import { genericFlags } from "./groups/generic.ts";
import { klystronFlags } from "./groups/klystron.ts";
import { miscFlags } from "./groups/misc.ts";
import { globalFlags, logsFlags, metricsFlags, tracesFlags } from "./groups/observability.ts";
import { secureServingFlags } from "./groups/secure-serving.ts";
import { removedFlags } from "./removed-flags.ts";

export const flagGroups: readonly (readonly [string, FlagTable])[] = [
  ["Klystron", klystronFlags],
  ["Generic", genericFlags],
  ["Etcd", etcdFlags],
  ["Secure serving", secureServingFlags],
  ["Auditing", auditingFlags],
  ["Features", featuresFlags],
  ["Authentication", authenticationFlags],
  ["Authorization", authorizationFlags],
  ["API enablement", apiEnablementFlags],
  ["Egress selector", egressFlags],
  ["Admission", admissionFlags],
  ["Metrics", metricsFlags],
  ["Logs", logsFlags],
  ["Traces", tracesFlags],
  ["Misc", miscFlags],
  ["Global", globalFlags],
];

type KnownFlags = typeof klystronFlags &
  typeof genericFlags &
  typeof etcdFlags &
  typeof secureServingFlags &
  typeof auditingFlags &
  typeof featuresFlags &
  typeof authenticationFlags &
  typeof authorizationFlags &
  typeof apiEnablementFlags &
  typeof egressFlags &
  typeof admissionFlags &
  typeof metricsFlags &
  typeof logsFlags &
  typeof tracesFlags &
  typeof miscFlags &
  typeof globalFlags;

/** Values by flag name. Plain data: it crosses threads as it is. Durations are in milliseconds. */
export type Flags = FlagValues<KnownFlags>;

/** All that is accepted, removed flags included. */
export const flagTable: FlagTable = Object.assign(
  {},
  ...flagGroups.map(([, table]) => table),
  removedFlags,
);
