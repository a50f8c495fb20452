/** Addresses that endpoints and external IPs may not have. */
import { type ErrorList, invalid, type Path } from "../../../../apimachinery/validation/field.ts";
import { parseIPSloppy } from "../../../../apimachinery/validation/ip.ts";

/**
 * Refuses unspecified, loopback and link-local addresses: they name the node that looks at them.
 * Upstream: ValidateNonSpecialIP.
 */
export function validateNonSpecialIP(address: string, at: Path): ErrorList {
  const bytes = parseIPSloppy(address)?.bytes;
  if (bytes === undefined) return [invalid(at, address, "must be a valid IP address")];
  const say = (detail: string) => invalid(at, address, detail);
  const errors: ErrorList = [];
  if (bytes.every((byte) => byte === 0)) errors.push(say(`may not be unspecified (${address})`));
  if (isLoopback(bytes))
    errors.push(say("may not be in the loopback range (127.0.0.0/8, ::1/128)"));
  if (isLinkLocal(bytes)) {
    errors.push(say("may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
  }
  if (isLinkLocalMulticast(bytes)) {
    errors.push(say("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
  }
  return errors;
}

type Bytes = readonly number[];

function isLoopback(bytes: Bytes): boolean {
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes[15] === 1 && bytes.slice(0, 15).every((byte) => byte === 0);
}

function isLinkLocal(bytes: Bytes): boolean {
  if (bytes.length === 4) return bytes[0] === 169 && bytes[1] === 254;
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

function isLinkLocalMulticast(bytes: Bytes): boolean {
  if (bytes.length === 4) return bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0;
  return bytes[0] === 0xff && ((bytes[1] ?? 0) & 0x0f) === 0x02;
}
