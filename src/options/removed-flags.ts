/**
 * Flags that kube-apiserver had in v1.19 or later and that manifests still carry. They are accepted
 * and do nothing. Upstream: the release notes of the versions named.
 */
import { bool, type FlagSpec, int, string } from "./flag-spec.ts";

const gone = (version: string) => ({
  deprecated: `it was removed from kube-apiserver in ${version} and has no effect`,
});
const USAGE = "No effect.";

/** Only 0 is accepted: a port that others can read everything from will not be opened. */
function onlyZero(version: string): FlagSpec<number> {
  const base = int(0, USAGE, gone(version));
  return {
    ...base,
    parse: (text, before) => {
      const port = base.parse(text, before);
      if (port !== 0) throw new Error(`invalid port value ${port}: only zero is allowed`);
      return port;
    },
  };
}

export const removedFlags = {
  "insecure-port": onlyZero("v1.24"),
  port: onlyZero("v1.24"),
  "insecure-bind-address": string("", USAGE, gone("v1.24")),
  address: string("", USAGE, gone("v1.24")),
  "kubelet-https": bool(true, USAGE, gone("v1.22")),
  "enable-swagger-ui": bool(false, USAGE, gone("v1.24")),
  "master-service-namespace": string("", USAGE, gone("v1.27")),
  "cloud-provider": string("", USAGE, gone("v1.33")),
  "cloud-config": string("", USAGE, gone("v1.33")),
  "cloud-provider-gce-lb-src-cidrs": string("", USAGE, gone("v1.31")),
  "cloud-provider-gce-l7lb-src-cidrs": string("", USAGE, gone("v1.31")),
  "azure-container-registry-config": string("", USAGE, gone("v1.30")),
  "target-ram-mb": int(0, USAGE, gone("v1.24")),
  "deserialization-cache-size": int(0, USAGE, gone("v1.24")),
  "ssh-user": string("", USAGE, gone("v1.22")),
  "ssh-keyfile": string("", USAGE, gone("v1.22")),
  "experimental-encryption-provider-config": string("", USAGE, {
    deprecated: "use --encryption-provider-config",
  }),
  "experimental-logging-sanitization": bool(false, USAGE, gone("v1.24")),
  "identity-lease-duration-seconds": int(0, USAGE, gone("v1.26")),
  "identity-lease-renew-interval-seconds": int(0, USAGE, gone("v1.26")),
  "add-dir-header": bool(false, USAGE, gone("v1.26")),
  alsologtostderr: bool(false, USAGE, gone("v1.26")),
  "log-backtrace-at": string("", USAGE, gone("v1.26")),
  "log-dir": string("", USAGE, gone("v1.26")),
  "log-file": string("", USAGE, gone("v1.26")),
  "log-file-max-size": int(0, USAGE, gone("v1.26")),
  logtostderr: bool(true, USAGE, gone("v1.26")),
  "one-output": bool(false, USAGE, gone("v1.26")),
  "skip-headers": bool(false, USAGE, gone("v1.26")),
  "skip-log-headers": bool(false, USAGE, gone("v1.26")),
  stderrthreshold: string("", USAGE, gone("v1.26")),
  "audit-dynamic-configuration": bool(false, USAGE, gone("v1.19")),
};
