/**
 * What others need to check service account tokens: the issuer's metadata and its keys.
 * Upstream: pkg/routes/openidmetadata.go, pkg/serviceaccount/openidmetadata.go.
 */
import { methodNotAllowed, StatusError } from "../apimachinery/api/errors.ts";
import type { Handler } from "../request/request.ts";
import { parseAccept } from "./negotiation.ts";
import type { PathRoutes } from "./routes.ts";

const CONFIGURATION = "/.well-known/openid-configuration";
const KEY_SET = "/openid/v1/jwks";

export interface IssuerMetadata {
  readonly issuer: string;
  /** `--service-account-jwks-uri`, else this server's own. */
  readonly keySetUri: string;
  /** Keys as RFC 7517 prints them, `alg` among their members. */
  keys(): readonly object[];
  algorithms(): readonly string[];
  /** How long clients may keep both documents. */
  cacheSeconds(): number;
}

/** No paths for an issuer that is not an https URL: nobody could verify it. */
export function authenticationPaths(metadata: IssuerMetadata): PathRoutes & {
  paths(): readonly string[];
} {
  const handlers = new Map<string, Handler>();
  if (isHttps(metadata.issuer)) {
    const configuration = () => ({
      issuer: metadata.issuer,
      jwks_uri: metadata.keySetUri,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [...new Set(metadata.algorithms())].sort(),
    });
    const keySet = () => ({ keys: metadata.keys() });
    const { cacheSeconds } = metadata;
    handlers.set(CONFIGURATION, document("application/json", configuration, cacheSeconds));
    handlers.set(KEY_SET, document("application/jwk-set+json", keySet, cacheSeconds));
  }
  return { lookup: (path) => handlers.get(path), paths: () => [...handlers.keys()] };
}

function document(type: string, body: () => object, cacheSeconds: () => number): Handler {
  const [major, minor] = type.split("/");
  return (request) => {
    if (request.method !== "GET") throw methodNotAllowed();
    const accept = request.headers.get("accept") ?? "*/*";
    const accepted = parseAccept(accept).some(
      (clause) =>
        clause.type === "*" ||
        (clause.type === major && (clause.subtype === "*" || clause.subtype === minor)),
    );
    if (!accepted) {
      const message = `406: Not Acceptable\n\nAvailable representations: ${type}`;
      throw new StatusError("NotAcceptable", message, { details: {} });
    }
    const headers = [
      ["Content-Type", type],
      ["Cache-Control", `public, max-age=${cacheSeconds()}`],
    ] as const;
    return { kind: "bytes", status: 200, headers, body: JSON.stringify(body()) };
  };
}

function isHttps(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false;
  return new URL(issuer).protocol === "https:";
}
