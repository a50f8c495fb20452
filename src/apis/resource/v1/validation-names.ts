/** Names, keys and lists of dynamic resource allocation. Upstream: pkg/apis/resource/validation. */
import {
  duplicate,
  type ErrorList,
  invalid,
  type Path,
  required,
  tooLong,
  tooMany,
} from "../../../apimachinery/validation/field.ts";
import {
  byteLength,
  isCIdentifier,
  isDNS1123Label,
  isDNS1123Subdomain,
} from "../../../apimachinery/validation/names.ts";
import { validateCSIDriverName } from "../../storage/v1/validation-csi.ts";

const POOL_NAME_MAX = 253;
const ID_MAX = 32;
/** Domain, slash and identifier. */
export const QUALIFIED_NAME_MAX = 63 + 1 + ID_MAX;

/** Drivers are named as CSI drivers are. */
export const validateDriverName = validateCSIDriverName;

/** A DNS label: devices, requests, counters. */
export function validateLabelAt(value: string, at: Path): ErrorList {
  return isDNS1123Label(value).map((message) => invalid(at, value, message));
}

/** A DNS subdomain that has to be there. */
export function validateDeviceClassName(value: string, at: Path): ErrorList {
  if (value === "") return [required(at)];
  return isDNS1123Subdomain(value).map((message) => invalid(at, value, message));
}

/** DNS subdomains joined by slashes. */
export function validatePoolName(name: string, at: Path): ErrorList {
  if (name === "") return [required(at)];
  const errors: ErrorList = byteLength(name) > POOL_NAME_MAX ? [tooLong(at, POOL_NAME_MAX)] : [];
  for (const part of name.split("/")) {
    for (const message of isDNS1123Subdomain(part)) errors.push(invalid(at, part, message));
  }
  return errors;
}

/** A UUID in its normal form. */
export function validateUID(uid: string, at: Path): ErrorList {
  const hex = uid.replace(/^urn:uuid:/i, "").replace(/^\{(.*)\}$/, "$1");
  const parses =
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(hex) ||
    /^[0-9a-f]{32}$/i.test(hex);
  if (!parses) {
    const reason = [32, 36, 38, 45].includes(byteLength(uid))
      ? "invalid UUID format"
      : `invalid UUID length: ${byteLength(uid)}`;
    return [invalid(at, uid, `error validating uid: ${reason}`)];
  }
  if (byteLength(uid) === 36 && uid === uid.toLowerCase()) return [];
  const detail =
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";
  return [invalid(at, uid, detail)];
}

/** An identifier, with an optional domain. More than one slash is not looked at, as upstream. */
export function validateResourceQualifiedName(name: string, at: Path): ErrorList {
  const [first = "", second, ...more] = name.split("/");
  if (second === undefined) return validateIdentifier(first, at);
  if (more.length > 0) return [];
  const errors =
    first === ""
      ? [invalid(at, "", "the domain must not be empty")]
      : validateDriverName(first, at);
  if (second === "") return [...errors, invalid(at, "", "the name must not be empty")];
  return [...errors, ...validateIdentifier(second, at)];
}

/** As validateResourceQualifiedName, with a domain that has to be there. */
export function validateResourceFullyQualifiedName(name: string, at: Path): ErrorList {
  const errors = validateResourceQualifiedName(name, at);
  if (name.includes("/")) return errors;
  const detail = "a fully qualified name must be a domain and a name separated by a slash";
  return [...errors, invalid(at, name, detail)];
}

function validateIdentifier(id: string, at: Path): ErrorList {
  const errors: ErrorList = byteLength(id) > ID_MAX ? [tooLong(at, ID_MAX)] : [];
  for (const message of isCIdentifier(id)) errors.push(invalid(at, id, message));
  return errors;
}

/** At most `max` items (negative: any number), each valid. A list too long is not looked into. */
export function validateItems<T>(
  items: readonly T[],
  max: number,
  validate: (item: T, at: Path) => ErrorList,
  at: Path,
): ErrorList {
  if (max >= 0 && items.length > max) return [tooMany(at, items.length, max)];
  return items.flatMap((item, i) => validate(item, at.index(i)));
}

/** As validateItems, and no key twice. */
export function validateItemSet<T>(
  items: readonly T[],
  max: number,
  validate: (item: T, at: Path) => ErrorList,
  keyOf: (item: T) => string,
  at: Path,
  printed: (item: T) => unknown = keyOf,
): ErrorList {
  const errors = validateItems(items, max, validate, at);
  if (max >= 0 && items.length > max) return errors;
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    const key = keyOf(item);
    if (seen.has(key)) errors.push(duplicate(at.index(i), printed(item)));
    seen.add(key);
  }
  return errors;
}

/** A map's keys and values; long keys are cut in the path. */
export function validateEntries<T>(
  map: Readonly<Record<string, T>>,
  max: number,
  keyMax: number,
  validateKey: (key: string, at: Path) => ErrorList,
  validate: (value: T, at: Path) => ErrorList,
  at: Path,
): ErrorList {
  const entries = Object.entries(map);
  if (max >= 0 && entries.length > max) return [tooMany(at, entries.length, max)];
  return entries.flatMap(([key, value]) => {
    const path = at.key(truncate(key, keyMax));
    return [...validateKey(key, path), ...validate(value, path)];
  });
}

function truncate(text: string, limit: number): string {
  const max = Math.max(limit, 16);
  if (text.length <= max) return text;
  const remaining = max - 3;
  const tail = Math.floor(remaining / 2);
  return `${text.slice(0, Math.floor((remaining + 1) / 2))}...${text.slice(text.length - tail)}`;
}
