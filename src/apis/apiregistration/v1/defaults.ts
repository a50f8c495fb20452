/** Upstream: kube-aggregator/pkg/apis/apiregistration/v1/defaults.go. */
import type { APIService } from "./types.ts";

/** A service is reached at 443 unless it says otherwise. */
export function setAPIServiceDefaults(object: Pick<APIService, "spec">): void {
  const service = object.spec?.service;
  if (service !== undefined) service.port ??= 443;
}
