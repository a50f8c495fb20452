/**
 * Named formats of strings: format.dns1123Label().validate(x).
 * Upstream: apiserver/pkg/cel/library/format.go.
 */
import { isQualifiedName, isValidLabelValue } from "../../../apimachinery/validation/names.ts";
import {
  nameIsDNS1035Label,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
} from "../../../apimachinery/validation/object-meta.ts";
import { member, type Overload, overload } from "../environment.ts";
import { parseTimestamp } from "../time.ts";
import { listOf, optionalOf, receiverType, STRING } from "../types.ts";
import {
  ArrayList,
  CelError,
  CelOpaque,
  CelOptional,
  type CelValue,
  noOverload,
} from "../values.ts";
import { textArgument as text } from "./conversions.ts";
import { requestURIProblem } from "./urls.ts";

const FORMAT_TYPE = receiverType("kubernetes.NamedFormat");

/** A format; `regexSize` is what the cost of a validation counts its pattern with. */
export class CelFormat extends CelOpaque {
  readonly type = FORMAT_TYPE;
  readonly name: string;
  readonly regexSize: number;
  readonly validate: (value: string) => readonly string[];
  constructor(name: string, regexSize: number, validate: (value: string) => readonly string[]) {
    super();
    this.name = name;
    this.regexSize = regexSize;
    this.validate = validate;
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelFormat && other.name === this.name;
  }
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

function isDateTime(value: string): boolean {
  try {
    parseTimestamp(value);
    return true;
  } catch (thrown) {
    if (thrown instanceof CelError) return false;
    throw thrown;
  }
}

function told(ok: boolean, problem: string): readonly string[] {
  return ok ? [] : [problem];
}

const FORMATS: readonly (readonly [string, CelFormat])[] = [
  ["dns1123Label", new CelFormat("DNS1123Label", 30, (s) => nameIsDNSLabel(s, false))],
  ["dns1123Subdomain", new CelFormat("DNS1123Subdomain", 60, (s) => nameIsDNSSubdomain(s, false))],
  ["dns1035Label", new CelFormat("DNS1035Label", 30, (s) => nameIsDNS1035Label(s, false))],
  ["qualifiedName", new CelFormat("QualifiedName", 60, isQualifiedName)],
  ["dns1123LabelPrefix", new CelFormat("DNS1123LabelPrefix", 30, (s) => nameIsDNSLabel(s, true))],
  [
    "dns1123SubdomainPrefix",
    new CelFormat("DNS1123SubdomainPrefix", 60, (s) => nameIsDNSSubdomain(s, true)),
  ],
  [
    "dns1035LabelPrefix",
    new CelFormat("DNS1035LabelPrefix", 30, (s) => nameIsDNS1035Label(s, true)),
  ],
  ["labelValue", new CelFormat("LabelValue", 40, isValidLabelValue)],
  [
    "uri",
    new CelFormat("URI", 1103, (s) => {
      const problem = requestURIProblem(s);
      return problem === undefined ? [] : [problem];
    }),
  ],
  ["uuid", new CelFormat("uuid", 72, (s) => told(UUID.test(s), "does not match the UUID format"))],
  ["byte", new CelFormat("byte", 84, (s) => told(BASE64.test(s), "invalid base64"))],
  ["date", new CelFormat("date", 72, (s) => told(isDateTime(`${s}T00:00:00Z`), "invalid date"))],
  ["datetime", new CelFormat("datetime", 72, (s) => told(isDateTime(s), "invalid datetime"))],
];
const BY_NAME = new Map(FORMATS);

function validate(format: CelValue, value: CelValue): CelValue {
  if (!(format instanceof CelFormat)) throw noOverload();
  const problems = format.validate(text(value));
  if (problems.length === 0) return CelOptional.none;
  return new CelOptional(new ArrayList([...problems]));
}

export const FORMAT_FUNCTIONS: readonly (readonly [string, readonly Overload[]])[] = [
  [
    "validate",
    [member("format-validate", [FORMAT_TYPE, STRING], optionalOf(listOf(STRING)), validate)],
  ],
  [
    "format.named",
    [
      overload("format-named", [STRING], optionalOf(FORMAT_TYPE), (name) => {
        const found = BY_NAME.get(text(name));
        return found === undefined ? CelOptional.none : new CelOptional(found);
      }),
    ],
  ],
  ...FORMATS.map(([name, format]) => {
    const id = `format.${name}`;
    return [id, [overload(id, [], FORMAT_TYPE, () => format)]] as const;
  }),
];
