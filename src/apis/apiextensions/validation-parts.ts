/**
 * The parts of a CustomResourceDefinition besides its schemas.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go.
 */
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
  tooMany,
} from "../../apimachinery/validation/field.ts";
import { byteLength, isDNS1035Label } from "../../apimachinery/validation/names.ts";
import { validateCABundle } from "../certificates/ca-bundle.ts";
import { validateWebhookClient } from "../validation/webhook-client.ts";
import { followFieldPath, type Schema } from "./schema.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  SelectableField,
  WebhookClientConfig,
} from "./v1beta1/types.ts";

const MAX_SELECTABLE_FIELDS = 8;
const COLUMN_TYPES = "boolean,date,integer,number,string";
const COLUMN_FORMATS = "byte,date,date-time,double,float,int32,int64,password";

/** Names are DNS labels, kinds are when lower-cased. */
export function validateNames(names: CustomResourceDefinitionNames, at: Path): ErrorList {
  const errors: ErrorList = [];
  const check = (path: Path, value: string, lower: boolean) => {
    const problems = isDNS1035Label(lower ? value.toLowerCase() : value);
    if (problems.length === 0) return;
    const lead = lower ? "may have mixed case, but should otherwise match: " : "";
    errors.push(invalid(path, value, lead + problems.join(",")));
  };
  for (const name of ["plural", "singular", "kind", "listKind"] as const) {
    const value = names[name];
    if (value) check(at.child(name), value, name === "kind" || name === "listKind");
  }
  for (const [i, name] of (names.shortNames ?? []).entries()) {
    check(at.child("shortNames").index(i), name, false);
  }
  if (names.kind && names.kind === names.listKind) {
    const detail = "kind and listKind may not be the same";
    errors.push(invalid(at.child("listKind"), names.listKind, detail));
  }
  for (const [i, name] of (names.categories ?? []).entries()) {
    check(at.child("categories").index(i), name, false);
  }
  return errors;
}

/** A column of `kubectl get`. */
export function validatePrinterColumn(column: CustomResourceColumnDefinition, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { name = "", type = "", format = "", JSONPath: jsonPath = "" } = column;
  if (name === "") errors.push(required(at.child("name")));
  const types = `must be one of ${COLUMN_TYPES}`;
  if (type === "") errors.push(required(at.child("type"), types));
  else if (!COLUMN_TYPES.split(",").includes(type)) {
    errors.push(invalid(at.child("type"), type, types));
  }
  if (format !== "" && !COLUMN_FORMATS.split(",").includes(format)) {
    errors.push(invalid(at.child("format"), format, `must be one of ${COLUMN_FORMATS}`));
  }
  if (jsonPath === "") errors.push(required(at.child("JSONPath")));
  else errors.push(...validateSimpleJSONPath(jsonPath, at.child("JSONPath")));
  return errors;
}

function validateSimpleJSONPath(path: string, at: Path): ErrorList {
  if (path.startsWith(".")) return [];
  return [invalid(at, path, "must be a simple json path starting with .")];
}

/** Paths of the scale subresource lie under spec and status. */
export function validateSubresources(
  subresources: CustomResourceSubresources | undefined,
  at: Path,
): ErrorList {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const errors: ErrorList = [];
  for (const [name, root] of [
    ["specReplicasPath", ".spec"],
    ["statusReplicasPath", ".status"],
  ] as const) {
    const path = at.child(`scale.${name}`);
    const value = scale[name] ?? "";
    const wrong = validateSimpleJSONPath(value, path);
    if (value === "") errors.push(required(path));
    else if (wrong.length > 0) errors.push(...wrong);
    else if (!value.startsWith(`${root}.`)) {
      errors.push(invalid(path, value, `should be a json path under ${root}`));
    }
  }
  const selector = scale.labelSelectorPath ?? "";
  if (selector === "") return errors;
  const path = at.child("scale.labelSelectorPath");
  const wrong = validateSimpleJSONPath(selector, path);
  if (wrong.length > 0) return [...errors, ...wrong];
  if (selector.startsWith(".spec.") || selector.startsWith(".status.")) return errors;
  const detail = "should be a json path under either .spec or .status";
  return [...errors, invalid(path, selector, detail)];
}

/** Fields a field selector may name: scalars with a simple path, at most eight. */
export function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: Schema,
  allowMany: boolean,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, { jsonPath = "" }] of fields.entries()) {
    const path = at.index(i).child("jsonPath");
    if (jsonPath === "") {
      errors.push(required(path));
      continue;
    }
    const found = followFieldPath(jsonPath, schema, false);
    if ("problem" in found) {
      errors.push(invalid(path, jsonPath, `is an invalid path: ${found.problem}`));
      continue;
    }
    if (found.root === "metadata") {
      errors.push(invalid(path, jsonPath, "must not point to fields in metadata"));
    }
    if (!["string", "boolean", "integer"].includes(found.schema.type ?? "")) {
      const detail =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      errors.push(invalid(path, jsonPath, detail));
    }
    if (seen.has(found.path)) errors.push(duplicate(path, jsonPath));
    seen.add(found.path);
  }
  if (seen.size > MAX_SELECTABLE_FIELDS && !allowMany) {
    errors.push(tooMany(at, seen.size, MAX_SELECTABLE_FIELDS));
  }
  return errors;
}

/** The warning of a deprecated version: short and printable. */
export function validateDeprecationWarning(
  { deprecated, deprecationWarning: warning }: CustomResourceDefinitionVersion,
  at: Path,
): ErrorList {
  if (warning === undefined) return [];
  if (!deprecated) return [invalid(at, warning, "can only be set for deprecated versions")];
  const errors: ErrorList = [];
  if (byteLength(warning) > 256) {
    errors.push(invalid(at, warning, "must be <= 256 characters long"));
  }
  if (warning === "") errors.push(invalid(at, warning, "must not be an empty string"));
  let index = 0;
  for (const char of warning) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)) {
      const lead = "must only contain printable UTF-8 characters; non-printable character found";
      errors.push(invalid(at, warning, `${lead} at index ${index}`));
      break;
    }
    index += byteLength(char);
  }
  return errors;
}

/** What updates look at only when the stored object passes. */
export interface ConversionOptions {
  readonly requireRecognizedVersion: boolean;
  readonly requireValidCABundle: boolean;
}

/** How versions are converted: not at all, or by a webhook. */
export function validateConversion(
  conversion: CustomResourceConversion | undefined,
  options: ConversionOptions,
  at: Path,
): ErrorList {
  if (conversion === undefined) return [];
  const { strategy = "", webhookClientConfig: client } = conversion;
  const versions = conversion.conversionReviewVersions ?? [];
  const errors: ErrorList = [];
  if (strategy === "") errors.push(required(at.child("strategy")));
  else if (strategy !== "None" && strategy !== "Webhook") {
    errors.push(notSupported(at.child("strategy"), strategy, ["None", "Webhook"]));
  }
  if (strategy === "Webhook") {
    const clientPath = at.child("webhookClientConfig");
    errors.push(...validateClient(client, clientPath));
    if (options.requireValidCABundle) {
      errors.push(...validateCABundle(clientPath.child("caBundle"), client?.caBundle ?? ""));
    }
    const path = at.child("conversionReviewVersions");
    const { requireRecognizedVersion } = options;
    return [...errors, ...validateReviewVersions(versions, requireRecognizedVersion, path)];
  }
  const detail = "should not be set when strategy is not set to Webhook";
  if (client !== undefined) errors.push(forbidden(at.child("webhookClientConfig"), detail));
  if (versions.length > 0) errors.push(forbidden(at.child("conversionReviewVersions"), detail));
  return errors;
}

function validateClient(client: WebhookClientConfig | undefined, at: Path): ErrorList {
  if (client === undefined) return [required(at, "required when strategy is set to Webhook")];
  return validateWebhookClient(client, at);
}

function validateReviewVersions(
  versions: readonly string[],
  requireRecognized: boolean,
  at: Path,
): ErrorList {
  if (versions.length === 0) return [required(at)];
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, version] of versions.entries()) {
    if (seen.has(version)) {
      errors.push(invalid(at.index(i), version, "duplicate version"));
      continue;
    }
    seen.add(version);
    for (const message of isDNS1035Label(version)) {
      errors.push(invalid(at.index(i), version, message));
    }
  }
  if (requireRecognized && !seen.has("v1") && !seen.has("v1beta1")) {
    errors.push(invalid(at, versions, "must include at least one of v1, v1beta1"));
  }
  return errors;
}
