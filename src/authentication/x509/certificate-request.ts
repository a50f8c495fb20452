/** Reads the subject of a PKCS #10 certificate request (RFC 2986). */
import { readName } from "./certificate.ts";
import { DerReader, Tag } from "./der-reader.ts";

const PEM = /-----BEGIN CERTIFICATE REQUEST-----([^-]+)-----END CERTIFICATE REQUEST-----/;

/**
 * The O attributes of a PEM request's subject. A request that can not be read has none: validation
 * has refused it before anyone asks.
 */
export function organizationsOf(pem: string): readonly string[] {
  return subjectOf(pem)?.organizations ?? [];
}

/** The CN of a PEM request's subject; undefined when the request can not be read. */
export function commonNameOf(pem: string): string | undefined {
  return subjectOf(pem)?.commonName;
}

function subjectOf(pem: string): ReturnType<typeof readName> | undefined {
  const base64 = PEM.exec(pem)?.[1];
  if (base64 === undefined) return undefined;
  try {
    const body = new DerReader(Buffer.from(base64, "base64")).enter(Tag.SEQUENCE);
    const info = body.enter(Tag.SEQUENCE);
    info.expect(Tag.INTEGER);
    return readName(info.expect(Tag.SEQUENCE).content);
  } catch {
    return undefined;
  }
}
