/**
 * Certificate signing requests (PKCS#10, RFC 2986): their signature is checked with the key they
 * carry. A small DER reader is enough: nothing but the outer structure is looked at.
 */
import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import { decodePem } from "./pem.ts";

interface Der {
  readonly tag: number;
  /** The element with its header, and its content. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** Reads one element at `offset`; throws when it does not fit into `bytes`. */
function readDer(bytes: Buffer, offset: number): Der {
  const tag = bytes[offset];
  let length = bytes[offset + 1];
  if (tag === undefined || length === undefined) throw new Error("asn1: syntax error: truncated");
  let header = 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 4 || offset + 2 + count > bytes.length) {
      throw new Error("asn1: syntax error: truncated base 128 integer");
    }
    length = bytes.readUIntBE(offset + 2, count);
    header += count;
  }
  const end = offset + header + length;
  if (end > bytes.length) throw new Error("asn1: syntax error: data truncated");
  return { tag, whole: bytes.subarray(offset, end), content: bytes.subarray(offset + header, end) };
}

function children(element: Der): Der[] {
  if (element.tag !== 0x30) throw new Error("asn1: structure error: tags don't match");
  const found: Der[] = [];
  for (let offset = 0; offset < element.content.length; ) {
    const child = readDer(element.content, offset);
    found.push(child);
    offset += child.whole.length;
  }
  return found;
}

const HASH_OF_OID: Readonly<Record<string, string>> = {
  "2a864886f70d01010b": "sha256",
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a864886f70d010105": "sha1",
  "2a8648ce3d040301": "sha224",
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
};
const ED25519_OID = "2b6570";
const PSS_OID = "2a864886f70d01010a";

/** What is wrong with a PEM-encoded request; undefined: nothing. */
export function csrProblem(base64: string): string | undefined {
  const block = decodePem(Buffer.from(base64, "base64").toString("latin1"))[0];
  if (block === undefined || block.type !== "CERTIFICATE REQUEST") {
    return "PEM block type must be CERTIFICATE REQUEST";
  }
  try {
    return readRequest(block.bytes).isSigned ? undefined : "x509: signature verification failed";
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

/** The key of a DER-encoded request, and whether it signed the request; throws when unreadable. */
export function readRequest(bytes: Buffer): { key: KeyObject; isSigned: boolean } {
  const request = readDer(bytes, 0);
  if (request.whole.length !== bytes.length) throw new Error("asn1: syntax error: trailing data");
  const [info, algorithm, signature] = children(request);
  if (info === undefined || algorithm === undefined || signature?.tag !== 0x03) {
    throw new Error("asn1: structure error: sequence truncated");
  }
  const [, , publicKey] = children(info);
  if (publicKey === undefined) throw new Error("asn1: structure error: sequence truncated");
  const oid = children(algorithm)[0]?.content.toString("hex") ?? "";
  const hash = HASH_OF_OID[oid];
  if (hash === undefined && oid !== ED25519_OID && oid !== PSS_OID) {
    throw new Error("x509: cannot verify signature: algorithm unimplemented");
  }
  const key = createPublicKey({ key: publicKey.whole, format: "der", type: "spki" });
  // A bit string's first byte counts unused bits.
  const value = signature.content.subarray(1);
  if (oid === PSS_OID) {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const isSigned = ["sha256", "sha384", "sha512"].some((one) =>
      verify(one, info.whole, { key, padding }, value),
    );
    return { key, isSigned };
  }
  return { key, isSigned: verify(hash ?? null, info.whole, key, value) };
}
