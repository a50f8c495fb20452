/**
 * Addresses and blocks of addresses. Upstream: apiserver/pkg/cel/library/ip.go, cidr.go.
 */
import {
  ipString,
  type ParsedIP,
  parseCIDRSloppy,
  parseIPSloppy,
} from "../../../apimachinery/validation/ip.ts";
import { type Implementation, member, type Overload, overload } from "../environment.ts";
import { BOOL, type CelType, INT, STRING } from "../types.ts";
import { CelError, CelOpaque, type CelValue, noOverload } from "../values.ts";
import { textArgument as text } from "./conversions.ts";

export const IP_TYPE: CelType = { kind: "opaque", name: "net.IP", params: [] };
export const CIDR_TYPE: CelType = { kind: "opaque", name: "net.CIDR", params: [] };

class CelIP extends CelOpaque {
  readonly type = IP_TYPE;
  readonly bytes: readonly number[];
  constructor(bytes: readonly number[]) {
    super();
    this.bytes = bytes;
  }
  override get size(): number {
    return this.bytes.length;
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelIP && ipString(other.bytes) === ipString(this.bytes);
  }
}

class CelCIDR extends CelOpaque {
  readonly type = CIDR_TYPE;
  readonly bytes: readonly number[];
  readonly bits: number;
  constructor(bytes: readonly number[], bits: number) {
    super();
    this.bytes = bytes;
    this.bits = bits;
  }
  override get size(): number {
    return Math.ceil(this.bits / 8);
  }
  get text(): string {
    return `${ipString(this.bytes)}/${this.bits}`;
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelCIDR && other.text === this.text;
  }
}

/** The address as netip takes it, or the reason why not. */
function readIP(raw: string): CelIP | { readonly problem: string } {
  const parsed = parseAddress(raw);
  if (typeof parsed === "string") {
    const quoted = JSON.stringify(raw);
    return {
      problem: `IP Address ${quoted} parse error during conversion from string: ${parsed}`,
    };
  }
  if (raw.includes("%")) {
    return { problem: `IP address ${JSON.stringify(raw)} with zone value is not allowed` };
  }
  return parsed.mapped ? { problem: mappedProblem(raw) } : new CelIP(parsed.bytes);
}

/** An address, or netip's words for what is wrong with it. */
function parseAddress(raw: string): ParsedIP | string {
  const zone = raw.indexOf("%");
  const address = zone < 0 ? raw : raw.slice(0, zone);
  const parsed = parseIPSloppy(address);
  const wrongZone = zone >= 0 && !address.includes(":");
  if (parsed !== undefined && !parsed.leadingZeros && !wrongZone) return parsed;
  return `ParseAddr(${JSON.stringify(raw)}): ${addressProblem(raw)}`;
}

function addressProblem(raw: string): string {
  const mark = /[.:%]/.exec(raw)?.[0];
  if (mark === "%") return "missing IPv6 address";
  if (mark === ".") return v4Problem(raw);
  if (mark === undefined) return "unable to parse IP";
  if (raw.includes(":::")) {
    const rest = JSON.stringify(raw.slice(raw.indexOf(":::") + 2));
    return `each colon-separated field must have at least one digit (at ${rest})`;
  }
  if (raw.split("::").length > 2) {
    return `multiple :: in address (at ${JSON.stringify(raw.slice(raw.lastIndexOf("::") + 1))})`;
  }
  if (/[0-9a-fA-F]{5}/.test(raw)) return "IPv6 field has value >=2^16";
  const stray = /[^0-9a-fA-F:.%]/.exec(raw);
  if (stray !== null) {
    return `unexpected character, want colon (at ${JSON.stringify(raw.slice(stray.index))})`;
  }
  return raw.split(":").length > 8 ? "trailing garbage after address" : "address string too short";
}

function v4Problem(raw: string): string {
  const parts = raw.split(".");
  for (const [index, part] of parts.entries()) {
    if (index > 3) return "IPv4 address too long";
    const at = JSON.stringify(parts.slice(index).join("."));
    if (part === "") return `IPv4 field must have at least one digit (at ${at})`;
    const stray = /[^0-9]/.exec(part);
    if (stray !== null)
      return `unexpected character (at ${JSON.stringify(raw.slice(raw.indexOf(part) + stray.index))})`;
    if (part.length > 1 && part.startsWith("0")) return "IPv4 field has octet with leading zero";
    if (Number(part) > 255) return "IPv4 field has value >255";
  }
  return "IPv4 address too short";
}

function mappedProblem(raw: string): string {
  return `IPv4-mapped IPv6 address ${JSON.stringify(raw)} is not allowed`;
}

const CIDR_PROBLEM = "network address parse error during conversion from string:";

function readCIDR(raw: string): CelCIDR | { readonly problem: string } {
  const parsed = parseCIDRSloppy(raw);
  if (parsed === undefined || parsed.leadingZeros || parsed.ip.leadingZeros) {
    const prefix = `netip.ParsePrefix(${JSON.stringify(raw)}): ${prefixProblem(raw)}`;
    return { problem: `${CIDR_PROBLEM} ${CIDR_PROBLEM} ${prefix}` };
  }
  if (parsed.ip.mapped) return { problem: `${CIDR_PROBLEM} ${mappedProblem(raw)}` };
  return new CelCIDR(parsed.ip.bytes, parsed.prefixLength);
}

function prefixProblem(raw: string): string {
  const slash = raw.lastIndexOf("/");
  if (slash < 0) return "no '/'";
  const address = parseAddress(raw.slice(0, slash));
  if (typeof address === "string") return address;
  const bits = raw.slice(slash + 1);
  const isNumber = /^(?:0|[1-9][0-9]{0,2})$/.test(bits);
  return isNumber ? "prefix length out of range" : `bad bits after slash: ${JSON.stringify(bits)}`;
}

function toIP(value: CelValue): CelIP {
  const found = readIP(text(value));
  if ("problem" in found) throw new CelError(found.problem);
  return found;
}

function toCIDR(value: CelValue): CelCIDR {
  const found = readCIDR(text(value));
  if ("problem" in found) throw new CelError(found.problem);
  return found;
}

function ipOf(value: CelValue | undefined): CelIP {
  if (value instanceof CelIP) return value;
  throw noOverload();
}

function cidrOf(value: CelValue | undefined): CelCIDR {
  if (value instanceof CelCIDR) return value;
  throw noOverload();
}

function masked(bytes: readonly number[], bits: number): number[] {
  return bytes.map((byte, index) => {
    const left = Math.min(8, Math.max(0, bits - index * 8));
    return byte & (0xff << (8 - left)) & 0xff;
  });
}

function holds(cidr: CelCIDR, bytes: readonly number[]): boolean {
  if (bytes.length !== cidr.bytes.length) return false;
  return ipString(masked(bytes, cidr.bits)) === ipString(masked(cidr.bytes, cidr.bits));
}

function holdsBlock(cidr: CelCIDR, other: CelCIDR): boolean {
  return cidr.bits <= other.bits && holds(cidr, other.bytes);
}

function loopback({ bytes }: CelIP): boolean {
  return bytes.length === 4 ? bytes[0] === 127 : ipString(bytes) === "::1";
}

function linkLocalMulticast({ bytes: [first = 0, second = 0, third = 0, ...rest] }: CelIP) {
  if (rest.length === 1) return first === 224 && second === 0 && third === 0;
  return first === 0xff && (second & 0x0f) === 0x02;
}

function linkLocalUnicast({ bytes: [first = 0, second = 0, ...rest] }: CelIP): boolean {
  if (rest.length === 2) return first === 169 && second === 254;
  return first === 0xfe && (second & 0xc0) === 0x80;
}

function unspecified({ bytes }: CelIP): boolean {
  return bytes.every((byte) => byte === 0);
}

function multicast({ bytes: [first = 0, ...rest] }: CelIP): boolean {
  return rest.length === 3 ? (first & 0xf0) === 0xe0 : first === 0xff;
}

function globalUnicast(ip: CelIP): boolean {
  const broadcast = ip.bytes.length === 4 && ip.bytes.every((byte) => byte === 255);
  return !unspecified(ip) && !loopback(ip) && !multicast(ip) && !linkLocalUnicast(ip) && !broadcast;
}

function ipTest(name: string, id: string, test: (ip: CelIP) => boolean) {
  const call: Implementation = (value) => test(ipOf(value));
  return [name, [member(id, [IP_TYPE], BOOL, call)]] as const;
}

export const NETWORK: readonly (readonly [string, readonly Overload[]])[] = [
  ["ip", [overload("string_to_ip", [STRING], IP_TYPE, toIP)]],
  ["ip", [member("cidr_ip", [CIDR_TYPE], IP_TYPE, (value) => new CelIP(cidrOf(value).bytes))]],
  [
    "family",
    [member("ip_family", [IP_TYPE], INT, (ip) => (ipOf(ip).bytes.length === 4 ? 4n : 6n))],
  ],
  [
    "ip.isCanonical",
    [
      overload("ip_is_canonical", [STRING], BOOL, (value) => {
        return ipString(toIP(value).bytes) === value;
      }),
    ],
  ],
  ipTest("isUnspecified", "ip_is_unspecified", unspecified),
  ipTest("isLoopback", "ip_is_loopback", loopback),
  ipTest("isLinkLocalMulticast", "ip_is_link_local_multicast", linkLocalMulticast),
  ipTest("isLinkLocalUnicast", "ip_is_link_local_unicast", linkLocalUnicast),
  ipTest("isGlobalUnicast", "ip_is_global_unicast", globalUnicast),
  ["isIP", [overload("is_ip", [STRING], BOOL, (value) => !("problem" in readIP(text(value))))]],
  [
    "string",
    [
      overload("ip_to_string", [IP_TYPE], STRING, (ip) => ipString(ipOf(ip).bytes)),
      overload("cidr_to_string", [CIDR_TYPE], STRING, (cidr) => cidrOf(cidr).text),
    ],
  ],
  ["cidr", [overload("string_to_cidr", [STRING], CIDR_TYPE, toCIDR)]],
  [
    "containsIP",
    [
      member("cidr_contains_ip_string", [CIDR_TYPE, STRING], BOOL, (cidr, ip) =>
        holds(cidrOf(cidr), toIP(ip).bytes),
      ),
      member("cidr_contains_ip_ip", [CIDR_TYPE, IP_TYPE], BOOL, (cidr, ip) =>
        holds(cidrOf(cidr), ipOf(ip).bytes),
      ),
    ],
  ],
  [
    "containsCIDR",
    [
      member("cidr_contains_cidr_string", [CIDR_TYPE, STRING], BOOL, (cidr, other) =>
        holdsBlock(cidrOf(cidr), toCIDR(other)),
      ),
      member("cidr_contains_cidr", [CIDR_TYPE, CIDR_TYPE], BOOL, (cidr, other) =>
        holdsBlock(cidrOf(cidr), cidrOf(other)),
      ),
    ],
  ],
  [
    "prefixLength",
    [member("cidr_prefix_length", [CIDR_TYPE], INT, (cidr) => BigInt(cidrOf(cidr).bits))],
  ],
  [
    "masked",
    [
      member("cidr_masked", [CIDR_TYPE], CIDR_TYPE, (cidr) => {
        const { bytes, bits } = cidrOf(cidr);
        return new CelCIDR(masked(bytes, bits), bits);
      }),
    ],
  ],
  [
    "isCIDR",
    [overload("is_cidr", [STRING], BOOL, (value) => !("problem" in readCIDR(text(value))))],
  ],
];
