/**
 * The string formats a schema may name; of others nothing is asked.
 * Upstream: k8s.io/kube-openapi/pkg/validation/strfmt, apiserver/validation/formats.go.
 */
import { isIPv4, isIPv6 } from "node:net";
import { isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/validation/names.ts";

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const uuidOf = (version: number) =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${version > 3 ? "[89ab]" : "[0-9a-f]"}[0-9a-f]{3}-?[0-9a-f]{12}$`,
    "i",
  );
const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const DATE_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt\s](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/;
const DURATION =
  /^(?:[-+]?(?:\d+(?:\.\d*)?|\.\d+)\s*(?:ns|nano|nanos?|us|micros?|µs|μs|ms|millis?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|wks?)\s*)+$/i;
const EMAIL = /^[^\s@]+@[^\s@]+$/;
const HOSTNAME =
  /^(?=.{1,255}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i;
const MAC =
  /^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$|^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const HEX_COLOR = /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;
const RGB = /^rgb\(\s*(?:\d{1,3})\s*,\s*(?:\d{1,3})\s*,\s*(?:\d{1,3})\s*\)$/;
const SSN = /^\d{3}[- ]?\d{2}[- ]?\d{4}$/;

const isDate = (text: string) => DATE.test(text) && !Number.isNaN(Date.parse(text));

function isCidr(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  if (isIPv4(address)) return Number(bits) <= 32;
  return isIPv6(address) && Number(bits) <= 128;
}

function isUri(text: string): boolean {
  return (
    !/[\s<>"{}|\\^`]/.test(text) && (/^[a-z][a-z0-9+.-]*:/i.test(text) || text.startsWith("/"))
  );
}

function isIsbn(text: string, length: 10 | 13): boolean {
  const digits = text.replaceAll(/[\s-]/g, "");
  return length === 10 ? /^\d{9}[\dX]$/.test(digits) : /^(?:978|979)\d{10}$/.test(digits);
}

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: isUri,
  email: (text) => EMAIL.test(text),
  hostname: (text) => HOSTNAME.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: (text) => MAC.test(text),
  uuid: (text) => UUID.test(text),
  uuid3: (text) => uuidOf(3).test(text),
  uuid4: (text) => uuidOf(4).test(text),
  uuid5: (text) => uuidOf(5).test(text),
  isbn: (text) => isIsbn(text, 10) || isIsbn(text, 13),
  isbn10: (text) => isIsbn(text, 10),
  isbn13: (text) => isIsbn(text, 13),
  creditcard: (text) => /^\d{13,19}$/.test(text.replaceAll(/[ -]/g, "")),
  ssn: (text) => SSN.test(text),
  hexcolor: (text) => HEX_COLOR.test(text),
  rgbcolor: (text) => RGB.test(text),
  byte: (text) => BASE64.test(text),
  date: isDate,
  duration: (text) => DURATION.test(text.trim()),
  datetime: (text) => DATE_TIME.test(text) && isDate(text.slice(0, 10)),
  k8sshortname: (text) => isDNS1123Label(text).length === 0,
  k8slongname: (text) => isDNS1123Subdomain(text).length === 0,
};

/** False for a text that the named format does not allow. */
export function hasFormat(text: string, format: string): boolean {
  const name = format.replaceAll("-", "");
  const check = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  return check === undefined || check(text);
}
