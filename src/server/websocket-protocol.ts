/** Which WebSocket subprotocol to answer with. */

/** Clients put their token here; it is a credential, not a protocol. */
const BEARER_PREFIX = "base64url.bearer.authorization.k8s.io.";

/** The handler's choice, else the first one offered that is no credential, else "". */
export function chosenProtocol(
  headers: readonly (readonly [string, string])[],
  offered: string | undefined,
): string {
  const chosen = headers.find(([name]) => name.toLowerCase() === "sec-websocket-protocol")?.[1];
  if (chosen !== undefined) return chosen;
  const names = (offered ?? "").split(",").map((name) => name.trim());
  return names.find((name) => name !== "" && !name.startsWith(BEARER_PREFIX)) ?? "";
}
