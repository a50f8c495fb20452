/**
 * Where a request may carry a token: the Authorization header, or a WebSocket subprotocol, because
 * browsers can set no headers there.
 * Upstream: authentication/request/bearertoken and authentication/request/websocket.
 */
import type { ReceivedRequest } from "../request/request.ts";
import type { Authenticator, TokenAuthenticator } from "./authenticator.ts";

const INVALID_TOKEN = "invalid bearer token";
const PROTOCOL_PREFIX = "base64url.bearer.authorization.k8s.io.";
/** Far beyond any token; bounds what is hashed per request. */
const TOKEN_LENGTH_MAX = 64 * 1024;

/** `Authorization: Bearer <token>`. A token nobody knows is an error, never anonymous. */
export function bearerTokenAuthenticator(
  tokens: TokenAuthenticator,
  apiAudiences: readonly string[],
): Authenticator {
  return {
    name: "bearer-token",
    async authenticate(request) {
      const token = bearerTokenOf(request);
      if (token === undefined) return undefined;
      if (token.length > TOKEN_LENGTH_MAX) throw new Error(INVALID_TOKEN);
      const found = await tokens.authenticateToken(token, apiAudiences);
      if (found === undefined) throw new Error(INVALID_TOKEN);
      return found;
    },
  };
}

/** The first Authorization header's token, as upstream's parser splits it; undefined without. */
export function bearerTokenOf(request: ReceivedRequest): string | undefined {
  const header = (request.headerValues("authorization")[0] ?? "").trim();
  if (header === "") return undefined;
  const [scheme = "", token = ""] = header.split(" ");
  if (scheme.toLowerCase() !== "bearer" || token === "") return undefined;
  return token;
}

/** A subprotocol `base64url.bearer.authorization.k8s.io.<token>` beside a real one. */
export function webSocketTokenAuthenticator(
  tokens: TokenAuthenticator,
  apiAudiences: readonly string[],
): Authenticator {
  return {
    name: "websocket-token",
    async authenticate(request) {
      if (!isWebSocket(request)) return undefined;
      const token = protocolTokenOf(request.headerValues("sec-websocket-protocol"));
      if (token === undefined) return undefined;
      const found = await tokens.authenticateToken(token, apiAudiences);
      if (found === undefined) throw new Error(INVALID_TOKEN);
      return found;
    },
  };
}

function isWebSocket({ headers }: ReceivedRequest): boolean {
  const upgrades = (headers.get("connection") ?? "").toLowerCase().includes("upgrade");
  return upgrades && (headers.get("upgrade") ?? "").toLowerCase() === "websocket";
}

/** Throws for a token that is there and can not be read. */
function protocolTokenOf(values: readonly string[]): string | undefined {
  const protocols = values.flatMap((value) => value.split(",")).map((one) => one.trim());
  const withToken = protocols.filter((one) => one.startsWith(PROTOCOL_PREFIX));
  const [only] = withToken;
  if (only === undefined) return undefined;
  if (withToken.length > 1)
    throw new Error("multiple base64.bearer.authorization tokens specified");
  if (protocols.length === withToken.length) {
    throw new Error("missing additional subprotocol");
  }
  const encoded = only.slice(PROTOCOL_PREFIX.length);
  if (!/^[A-Za-z0-9_-]+$/.test(encoded) || encoded.length > TOKEN_LENGTH_MAX) {
    throw new Error("invalid base64.bearer.authorization token encoding");
  }
  const bytes = Buffer.from(encoded, "base64url");
  const token = bytes.toString("utf8");
  if (!Buffer.from(token).equals(bytes)) {
    throw new Error("invalid base64.bearer.authorization token");
  }
  return token;
}
