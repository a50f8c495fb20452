/**
 * IP addresses and CIDR blocks as API fields hold them, and the warnings about odd spellings.
 * "Sloppy" is what Go's net.ParseIP took before leading zeros were refused; "strict" is netip's.
 * Upstream: apimachinery/pkg/util/validation/ip.go, k8s.io/utils/net.
 */
import { type ErrorList, invalid, type Path, quote } from "./field.ts";

/** An address: 4 bytes, or 16 (an IPv4-mapped one is unmapped to 4, as Go prints it). */
export interface ParsedIP {
  readonly bytes: readonly number[];
  /** Written as an IPv4-mapped IPv6 address. */
  readonly mapped: boolean;
  /** An octet has leading zeros. */
  readonly leadingZeros: boolean;
}

export interface ParsedCIDR {
  readonly ip: ParsedIP;
  readonly prefixLength: number;
  /** The prefix length has leading zeros. */
  readonly leadingZeros: boolean;
  /** The address with the host bits cleared. */
  readonly network: readonly number[];
}

/** Parses an address, leading zeros in IPv4 octets allowed. Undefined when it is none. */
export function parseIPSloppy(text: string): ParsedIP | undefined {
  if (!text.includes(":")) {
    const v4 = parseIPv4(text);
    return v4 && { ...v4, mapped: false };
  }
  return parseIPv6(text);
}

function parseIPv4(text: string): { bytes: number[]; leadingZeros: boolean } | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part) || Number(part) > 255) return undefined;
    bytes.push(Number(part));
  }
  return { bytes, leadingZeros: parts.some((part) => part.length > 1 && part.startsWith("0")) };
}

function parseIPv6(text: string): ParsedIP | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const state = { leadingZeros: false };
  const head = parseGroups(halves[0] ?? "", halves.length === 1, state);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true, state) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const bytes = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const mapped = bytes.slice(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255;
  return { bytes: mapped ? bytes.slice(12) : bytes, mapped, leadingZeros: state.leadingZeros };
}

/** Groups of four hex digits; the last may be an IPv4 address when `last`. */
function parseGroups(
  text: string,
  last: boolean,
  state: { leadingZeros: boolean },
): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (last && i === groups.length - 1 && group.includes(".")) {
      const v4 = parseIPv4(group);
      if (v4 === undefined) return undefined;
      if (v4.leadingZeros) state.leadingZeros = true;
      bytes.push(...v4.bytes);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else return undefined;
  }
  return bytes;
}

/** Parses `address/length`, sloppily. Undefined when it is none. */
export function parseCIDRSloppy(text: string): ParsedCIDR | undefined {
  const slash = text.indexOf("/");
  if (slash === -1) return undefined;
  const ip = parseIPSloppy(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (ip === undefined || !/^[0-9]+$/.test(digits)) return undefined;
  const written = ip.mapped ? 128 : ip.bytes.length * 8;
  const length = Number(digits);
  if (length > written) return undefined;
  const own = ip.mapped ? Math.max(length - 96, 0) : length;
  const network = ip.bytes.map((byte, i) => byte & maskByte(own - i * 8));
  const leadingZeros = digits.length > 1 && digits.startsWith("0");
  return { ip, prefixLength: length, leadingZeros, network };
}

function maskByte(bits: number): number {
  return bits >= 8 ? 255 : bits <= 0 ? 0 : (255 << (8 - bits)) & 255;
}

/** Go's net.IP.String(): dotted quad, or RFC 5952. */
export function ipString(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; ) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    i = Math.max(end, i + 1);
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(":");
  if (best.start === -1) return hex(0, 8);
  return `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}

/** Whether text is an IPv4 address in Go's sense (an IPv4-mapped IPv6 address is one). */
export function isIPv4String(text: string): boolean {
  return parseIPSloppy(text)?.bytes.length === 4;
}

/** Whether text is an IPv6 address in Go's sense. */
export function isIPv6String(text: string): boolean {
  return parseIPSloppy(text)?.bytes.length === 16;
}

function ipErrors(at: Path, value: string, strict: boolean): ErrorList {
  const ip = parseIPSloppy(value);
  if (ip === undefined) {
    const detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    return [invalid(at, value, detail)];
  }
  const errors: ErrorList = [];
  if (strict && ip.leadingZeros) errors.push(invalid(at, value, "must not have leading 0s"));
  else if (strict && ip.mapped) {
    errors.push(invalid(at, value, "must not be an IPv4-mapped IPv6 address"));
  }
  return errors;
}

/** An address in a field that once took sloppy spellings: those in `validOld` stay valid. */
export function validateIPForLegacyField(
  at: Path,
  value: string,
  validOld: readonly string[] = [],
  strict = true,
): ErrorList {
  return validOld.includes(value) ? [] : ipErrors(at, value, strict);
}

/** An address in its canonical form. Upstream: IsValidIP. */
export function validateIP(at: Path, value: string): ErrorList {
  const errors = ipErrors(at, value, true);
  const ip = parseIPSloppy(value);
  if (errors.length > 0 || ip === undefined) return errors;
  const canonical = ipString(ip.bytes);
  if (value === canonical) return [];
  return [invalid(at, value, `must be in canonical form (${quote(canonical)})`)];
}

/** Warnings about a valid legacy address that is not spelled canonically. */
export function warningsForIP(at: Path | string, value: string): string[] {
  const ip = parseIPSloppy(value);
  if (ip === undefined) return [];
  const canonical = ipString(ip.bytes);
  if (ip.leadingZeros || ip.mapped) {
    const use = quote(canonical);
    return [`${at}: non-standard IP address ${quote(value)} is invalid: use ${use}`];
  }
  if (ip.bytes.length === 16 && canonical !== value) {
    const should = `should be in RFC 5952 canonical format (${quote(canonical)})`;
    return [`${at}: IPv6 address ${quote(value)} ${should}`];
  }
  return [];
}

/** Go's net.IPNet.String(). */
export function cidrString({ ip, network, prefixLength }: ParsedCIDR): string {
  const length = ip.mapped ? Math.max(prefixLength - 96, 0) : prefixLength;
  return `${ipString(network)}/${length}`;
}

function hasHostBits(cidr: ParsedCIDR): boolean {
  return cidr.network.some((byte, i) => byte !== cidr.ip.bytes[i]);
}

function cidrErrors(at: Path, value: string, strict: boolean): ErrorList {
  const cidr = parseCIDRSloppy(value);
  if (cidr === undefined) {
    return [invalid(at, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
  }
  if (!strict) return [];
  if (cidr.ip.leadingZeros || cidr.leadingZeros) {
    return [invalid(at, value, "must not have leading 0s in IP or prefix length")];
  }
  if (cidr.ip.mapped) return [invalid(at, value, "must not have an IPv4-mapped IPv6 address")];
  if (!hasHostBits(cidr)) return [];
  return [invalid(at, value, "must not have bits set beyond the prefix length")];
}

/** A block in a field that once took sloppy spellings: those in `validOld` stay valid. */
export function validateCIDRForLegacyField(
  at: Path,
  value: string,
  validOld: readonly string[] = [],
  strict = true,
): ErrorList {
  return validOld.includes(value) ? [] : cidrErrors(at, value, strict);
}

/** A block in its canonical form. Upstream: IsValidCIDR. */
export function validateCIDR(at: Path, value: string): ErrorList {
  const errors = cidrErrors(at, value, true);
  const cidr = parseCIDRSloppy(value);
  if (errors.length > 0 || cidr === undefined) return errors;
  const canonical = cidrString(cidr);
  if (value === canonical) return [];
  return [invalid(at, value, `must be in canonical form (${quote(canonical)})`)];
}

/** An interface's address with its prefix length, canonical. */
export function validateInterfaceAddress(at: Path, value: string): ErrorList {
  const cidr = parseCIDRSloppy(value);
  if (cidr === undefined) {
    const detail = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
    return [invalid(at, value, detail)];
  }
  const length = cidr.ip.mapped ? Math.max(cidr.prefixLength - 96, 0) : cidr.prefixLength;
  const canonical = `${ipString(cidr.ip.bytes)}/${length}`;
  if (value === canonical) return [];
  return [invalid(at, value, `must be in canonical form (${quote(canonical)})`)];
}

/** Warnings about a valid legacy block that is ambiguous or not spelled canonically. */
export function warningsForCIDR(at: Path | string, value: string): string[] {
  const cidr = parseCIDRSloppy(value);
  if (cidr === undefined) return [];
  const warnings: string[] = [];
  const text = cidrString(cidr);
  if (hasHostBits(cidr)) {
    const single = `${ipString(cidr.ip.bytes)}/${cidr.ip.bytes.length * 8}`;
    const hint = `(should be ${quote(text)} or ${quote(single)}?)`;
    warnings.push(`${at}: CIDR value ${quote(value)} is ambiguous in this context ${hint}`);
  }
  if (cidr.ip.leadingZeros || cidr.leadingZeros || cidr.ip.mapped) {
    warnings.push(`${at}: non-standard CIDR value ${quote(value)} is invalid: use ${quote(text)}`);
  }
  const canonical = `${ipString(cidr.ip.bytes)}/${cidr.prefixLength}`;
  if (warnings.length === 0 && cidr.ip.bytes.length === 16 && canonical !== value) {
    const should = `should be in RFC 5952 canonical format (${quote(canonical)})`;
    warnings.push(`${at}: IPv6 CIDR value ${quote(value)} ${should}`);
  }
  return warnings;
}
