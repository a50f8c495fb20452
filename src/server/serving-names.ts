/** The names a self-made serving certificate is good for. */
import { hostname } from "node:os";

/**
 * `serviceRange` is the first --service-cluster-ip-range: its first address is the kubernetes
 * Service's. Upstream: cmd/kube-apiserver/app/server.go and kubeadm's APIServer SANs.
 */
export function servingNames(
  serviceRange: string,
  ...more: readonly (string | undefined)[]
): string[] {
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const wildcard = new Set(["0.0.0.0", "::", ""]);
  const given = more.flatMap((name) => (name === undefined || wildcard.has(name) ? [] : [name]));
  return [
    ...new Set([
      "localhost",
      "127.0.0.1",
      "::1",
      hostname(),
      ...service,
      "kubernetes.default.svc.cluster.local",
      firstAddress(serviceRange),
      ...given,
    ]),
  ];
}

/** The first usable address of a CIDR: 10.0.0.0/24 gives 10.0.0.1. */
export function firstAddress(cidr: string): string {
  const address = cidr.slice(0, cidr.indexOf("/"));
  if (address.includes(":")) return address.endsWith("::") ? `${address}1` : address;
  const bits = Number(cidr.slice(cidr.indexOf("/") + 1));
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const network = value - (value % 2 ** (32 - bits)) + 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join(".");
}
