/** The address that others in the cluster reach this server by. */
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

export function isLoopback(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}
const isWildcard = (address: string) => address === "0.0.0.0" || address === "::" || address === "";

/**
 * --advertise-address, else --bind-address when others can reach it, else the host's first outside
 * address; a loopback address when the host has no other.
 * Upstream: apimachinery/pkg/util/net ResolveBindAddress.
 */
export function advertiseAddress(advertised: string, bind: string): string {
  if (advertised !== "") return advertised;
  if (!isWildcard(bind) && !isLoopback(bind)) return bind;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const best = outside.find(({ family }) => family === "IPv4") ?? outside[0];
  return best?.address ?? (isWildcard(bind) ? "127.0.0.1" : bind);
}
