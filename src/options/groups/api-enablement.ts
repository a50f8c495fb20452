/** Upstream: apiserver/pkg/server/options/{api_enablement,egress_selector,admission}.go. */
import { int, string, stringMap, strings } from "../flag-spec.ts";

export const apiEnablementFlags = {
  "runtime-config": stringMap(
    "mapStringString",
    "APIs to switch: group/version[/resource]=true|false, or api/all, api/ga, api/beta, api/alpha.",
  ),
};
export const egressFlags = {
  "egress-selector-config-file": string("", "File with an EgressSelectorConfiguration."),
};
export const admissionFlags = {
  "admission-control": strings([], "Every admission plugin in order, the old way.", {
    deprecated:
      "Use --enable-admission-plugins or --disable-admission-plugins instead. Will be removed in a future version.",
  }),
  "admission-control-config-file": string("", "File with an AdmissionConfiguration."),
  "default-not-ready-toleration-seconds": int(
    300,
    "tolerationSeconds for notReady:NoExecute that pods without one get.",
  ),
  "default-unreachable-toleration-seconds": int(
    300,
    "tolerationSeconds for unreachable:NoExecute that pods without one get.",
  ),
  "disable-admission-plugins": strings([], "Default admission plugins to leave out."),
  "enable-admission-plugins": strings([], "Admission plugins beside the default ones."),
};
