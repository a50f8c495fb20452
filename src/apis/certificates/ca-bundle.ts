/**
 * Certificates of authorities, as a client would load them.
 * Upstream: apiserver/pkg/util/webhook/validation.go ValidateCABundle and client-go/transport.
 */
import { X509Certificate } from "node:crypto";
import { type ErrorList, invalid, type Path } from "../../apimachinery/validation/field.ts";
import { decodePem } from "./pem.ts";

/** Errors of a base64-encoded bundle: no certificate in it can be read. */
export function validateCABundle(at: Path, base64: string): ErrorList {
  const problem = bundleProblem(Buffer.from(base64, "base64").toString("latin1"));
  if (problem === undefined) return [];
  return [invalid(at, base64, `unable to load root certificates: ${problem}`)];
}

function bundleProblem(text: string): string | undefined {
  if (text === "") return undefined;
  const blocks = decodePem(text);
  let broken: string | undefined;
  for (const { type, headers, bytes } of blocks) {
    if (type !== "CERTIFICATE" || Object.keys(headers).length > 0) continue;
    try {
      new X509Certificate(bytes);
      return undefined;
    } catch {
      broken ??= "failed to parse certificate: x509: malformed certificate";
    }
  }
  return broken ?? "unable to parse bytes as PEM block";
}
