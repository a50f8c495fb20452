/** Defaults of LimitRanges. Upstream: SetDefaults_LimitRangeItem. */
import type { LimitRange } from "../types.ts";

/** For containers: default from max, defaultRequest from default, then from min. */
export function setLimitRangeDefaults({ spec }: LimitRange): void {
  for (const item of spec?.limits ?? []) {
    if (item.type !== "Container") continue;
    const limits = { ...item.max, ...item.default };
    const requests = { ...item.min, ...limits, ...item.defaultRequest };
    if (Object.keys(limits).length > 0) item.default = sorted(limits);
    if (Object.keys(requests).length > 0) item.defaultRequest = sorted(requests);
  }
}

function sorted(amounts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
