/** Upstream: cmd/kube-apiserver/app/options and pkg/controlplane/apiserver/options. */
import { bool, duration, int, portRange, string, strings, uint } from "../flag-spec.ts";

const unusedPort = { deprecated: "kubelet-port is deprecated and will be removed." };

export const miscFlags = {
  "aggregator-reject-forwarding-redirect": bool(
    true,
    "Do not pass on redirects of API extensions.",
  ),
  "allow-privileged": bool(false, "Allow privileged containers."),
  "apiserver-count": int(
    1,
    "Servers in the cluster, for --endpoint-reconciler-type=master-count.",
    {
      deprecated: "apiserver-count is deprecated and will be removed in a future version.",
    },
  ),
  "coordinated-leadership-lease-duration": duration("15s", "Duration of coordinated leases."),
  "coordinated-leadership-renew-deadline": duration(
    "10s",
    "Time to renew one before giving it up.",
  ),
  "coordinated-leadership-retry-period": duration("2s", "Time between tries at leases."),
  "enable-aggregator-routing": bool(false, "Route to endpoints of API extensions, not their IP."),
  "enable-logs-handler": bool(false, "Serve /logs/.", {
    deprecated: "This flag will be removed in v1.19",
  }),
  "endpoint-reconciler-type": string("lease", "lease, master-count or none."),
  "event-ttl": duration("1h0m0s", "How long events are kept."),
  "kubelet-certificate-authority": string(
    "",
    "CA of kubelets' serving certificates. Empty: unchecked.",
  ),
  "kubelet-client-certificate": string("", "Client certificate for kubelets."),
  "kubelet-client-key": string("", "Key of --kubelet-client-certificate."),
  "kubelet-port": uint(10250, "Port of kubelets that do not report theirs.", unusedPort),
  "kubelet-preferred-address-types": strings(
    ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"],
    "Node addresses to reach kubelets at, best first.",
  ),
  "kubelet-read-only-port": uint(10255, "Read-only port of kubelets.", {
    deprecated: "kubelet-read-only-port is deprecated and will be removed.",
  }),
  "kubelet-timeout": duration("5s", "Timeout of calls to kubelets."),
  "kubernetes-service-node-port": int(0, "Node port of the kubernetes Service; 0: ClusterIP only."),
  "max-connection-bytes-per-sec": int(0, "Limit of exec, attach, port-forward and proxy; 0: none."),
  "peer-advertise-ip": string("", "Address for requests that peers pass on."),
  "peer-advertise-port": string("", "Port for requests that peers pass on."),
  "peer-ca-file": string("", "CA of peers' serving certificates."),
  "proxy-client-cert-file": string("", "Client certificate for API extensions and webhooks."),
  "proxy-client-key-file": string("", "Key of --proxy-client-cert-file."),
  "service-account-signing-endpoint": string("", "Unix socket of an external token signer."),
  "service-account-signing-key-file": string(
    "",
    "Key that service account tokens are signed with.",
  ),
  "service-cluster-ip-range": string(
    "",
    "CIDRs of cluster IPs, at most one a family. Empty: 10.0.0.0/24.",
  ),
  "service-node-port-range": portRange(
    { base: 30_000, size: 2768 },
    "Ports for NodePort services.",
  ),
};
