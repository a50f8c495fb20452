/**
 * CustomResourceDefinition, in its storage version v1beta1, whose fields are those of upstream's
 * internal type. Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../apimachinery/validation/field.ts";
import {
  isDNS1035Label,
  isDNS1123Subdomain,
  isPathSegmentName,
} from "../../apimachinery/validation/names.ts";
import {
  nameIsDNSSubdomain,
  validateImmutableField,
} from "../../apimachinery/validation/object-meta.ts";
import { validateCABundle } from "../certificates/ca-bundle.ts";
import { goStruct } from "../validation/common.ts";
import { type Schema, schemaHas, structuralProblem } from "./schema.ts";
import { validateStructural } from "./structural.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from "./v1beta1/types.ts";
import { validateMapListKeysMapSet } from "./validation-list-types.ts";
import {
  type ConversionOptions,
  validateConversion,
  validateDeprecationWarning,
  validateNames,
  validatePrinterColumn,
  validateSelectableFields,
  validateSubresources,
} from "./validation-parts.ts";
import {
  OPENAPI_TYPES,
  type SchemaOptions,
  validateCustomResourceValidation,
} from "./validation-schema.ts";

type Crd = Omit<CustomResourceDefinition, "metadata"> & KubeObject;
type Spec = CustomResourceDefinitionSpec;
type Version = CustomResourceDefinitionVersion;

interface Options extends SchemaOptions, ConversionOptions {
  readonly requireImmutableNames: boolean;
  readonly requireOpenAPISchema: boolean;
  readonly tooManyFieldsAllowed: (version: string) => boolean;
}

const SPEC = Path.root("spec");
const APPROVED = "api-approved.kubernetes.io";

/** Errors of a definition beyond its metadata; `old` as stored, on updates. */
export function validateCustomResourceDefinition(crd: Crd, old?: Crd): ErrorList {
  const { spec = {} } = crd;
  const options = optionsOf(crd, old);
  const errors = old === undefined ? validateRequiredName(crd, spec) : [];
  errors.push(...validateSpec(spec, options));
  if (old !== undefined) errors.push(...validateSpecUpdate(spec, old.spec ?? {}, options));
  errors.push(...validateCustomResourceDefinitionStatus(crd));
  errors.push(...validateStoredVersions(crd.status?.storedVersions ?? [], spec.versions ?? []));
  errors.push(...validateApproval(crd, old));
  if (!old?.spec?.preserveUnknownFields && spec.preserveUnknownFields) {
    const detail =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    errors.push(invalid(SPEC.child("preserveUnknownFields"), true, detail));
  }
  return errors;
}

/** The strategy tells names that are no DNS subdomains; this tells those that do not match. */
function validateRequiredName({ metadata = {} }: KubeObject, spec: Spec): ErrorList {
  const wanted = `${spec.names?.plural ?? ""}.${spec.group ?? ""}`;
  const errors: ErrorList = [];
  for (const field of ["generateName", "name"] as const) {
    const name = metadata[field];
    if (!name || name === wanted) continue;
    const path = `metadata.${field}`;
    errors.push(invalid(path, name, 'must be spec.names.plural+"."+spec.group'));
  }
  return errors;
}

function schemasOf(spec: Spec | undefined): Schema[] {
  const own = (spec?.versions ?? []).map((version) => version.schema?.openAPIV3Schema);
  return [spec?.validation?.openAPIV3Schema, ...own].filter((one) => one !== undefined);
}

function schemaOf(spec: Spec | undefined, version: string): Schema | undefined {
  const own = spec?.versions?.find(({ name }) => name === version);
  return own?.schema?.openAPIV3Schema ?? spec?.validation?.openAPIV3Schema;
}

function anySchema(spec: Spec | undefined, test: (schema: Schema) => boolean): boolean {
  return schemasOf(spec).some((schema) => schemaHas(schema, test));
}

function optionsOf(crd: Crd, old: Crd | undefined): Options {
  const spec = old?.spec;
  const isEstablished = (old?.status?.conditions ?? []).some(
    ({ type, status }) => type === "Established" && status === "True",
  );
  const reviews = spec?.conversion?.conversionReviewVersions ?? [];
  return {
    requireImmutableNames: isEstablished,
    requireOpenAPISchema: spec === undefined || hasAllSchemas(spec),
    requireValidCABundle:
      validateCABundle(SPEC, spec?.conversion?.webhookClientConfig?.caBundle ?? "").length === 0,
    requireRecognizedVersion:
      reviews.length === 0 || reviews.some((version) => ["v1", "v1beta1"].includes(version)),
    requireStructuralSchema: schemasOf(spec).every(
      (schema) =>
        structuralProblem(schema) === undefined && validateStructural(schema, SPEC).length === 0,
    ),
    requireValidPropertyType: !anySchema(
      spec,
      ({ type = "" }) => type !== "" && !OPENAPI_TYPES.includes(type),
    ),
    requirePrunedDefaults: true,
    requireAtomicSetType: !anySchema(spec, hasNonAtomicSet),
    requireMapListKeysMapSetValidation: !anySchema(
      spec,
      (schema) => validateMapListKeysMapSet(schema, SPEC).length > 0,
    ),
    isUnchanged: (version) => {
      const stored = schemaOf(spec, version);
      return stored !== undefined && semanticDeepEqual(schemaOf(crd.spec, version), stored);
    },
    tooManyFieldsAllowed: (version) => {
      const fields = (one: Spec | undefined) =>
        version === ""
          ? one?.selectableFields
          : one?.versions?.find(({ name }) => name === version)?.selectableFields;
      const stored = fields(spec) ?? [];
      return stored.length > 8 && semanticDeepEqual(fields(crd.spec), stored);
    },
  };
}

function hasNonAtomicSet(schema: Schema): boolean {
  const items = schema.items as Schema | undefined;
  if (schema["x-kubernetes-list-type"] !== "set" || items === undefined) return false;
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array") return listType !== undefined && listType !== "atomic";
  return items.type === "object" && items["x-kubernetes-map-type"] !== "atomic";
}

function hasAllSchemas(spec: Spec): boolean {
  if (spec.validation?.openAPIV3Schema !== undefined) return true;
  return (spec.versions ?? []).every((version) => version.schema?.openAPIV3Schema !== undefined);
}

function validateSpec(spec: Spec, given: Options): ErrorList {
  const errors = validateGroupAndScope(spec);
  const keepsUnknown = spec.preserveUnknownFields === true;
  const needsStructure =
    !keepsUnknown ||
    anySchema(spec, (schema) => schema.default !== undefined) ||
    anySchema(spec, hasExtensions);
  const options = needsStructure ? { ...given, requireStructuralSchema: true } : given;
  errors.push(...validateSchemasPresent(spec, options, keepsUnknown));
  if (keepsUnknown && anySchema(spec, (schema) => schema.default !== undefined)) {
    const detail = "must be false in order to use defaults in the schema";
    errors.push(invalid(SPEC.child("preserveUnknownFields"), true, detail));
  }
  errors.push(...validateVersions(spec, options));
  errors.push(...validateExclusive(spec));
  errors.push(...validateVersionList(spec));
  for (const name of ["plural", "singular", "kind", "listKind"] as const) {
    if (!spec.names?.[name]) errors.push(required(SPEC.child("names", name)));
  }
  errors.push(...validateNames(spec.names ?? {}, SPEC.child("names")));
  errors.push(...validateTopLevel(spec, options));
  const strategy = spec.conversion?.strategy ?? "";
  if (spec.conversion !== undefined && strategy !== "None" && keepsUnknown) {
    const detail = "must be None if spec.preserveUnknownFields is true";
    errors.push(invalid(SPEC.child("conversion", "strategy"), strategy, detail));
  }
  const at = SPEC.child("conversion");
  return [...errors, ...validateConversion(spec.conversion, options, at)];
}

function validateGroupAndScope({ group = "", scope = "" }: Spec): ErrorList {
  const errors: ErrorList = [];
  const problems = isDNS1123Subdomain(group);
  if (group === "") errors.push(required(SPEC.child("group")));
  else if (problems.length > 0)
    errors.push(invalid(SPEC.child("group"), group, problems.join(",")));
  else if (!group.includes(".")) {
    errors.push(invalid(SPEC.child("group"), group, "should be a domain with at least one dot"));
  }
  const scopes = ["Cluster", "Namespaced"];
  if (scope === "") errors.push(required(SPEC.child("scope")));
  else if (!scopes.includes(scope)) errors.push(notSupported(SPEC.child("scope"), scope, scopes));
  return errors;
}

function hasExtensions(schema: Schema): boolean {
  return Boolean(
    schema["x-kubernetes-embedded-resource"] ||
      schema["x-kubernetes-preserve-unknown-fields"] !== undefined ||
      schema["x-kubernetes-int-or-string"] ||
      (schema["x-kubernetes-list-map-keys"] ?? []).length > 0 ||
      schema["x-kubernetes-list-type"] !== undefined ||
      (schema["x-kubernetes-validations"] ?? []).length > 0,
  );
}

function validateSchemasPresent(spec: Spec, options: Options, keepsUnknown: boolean): ErrorList {
  if (spec.validation?.openAPIV3Schema !== undefined) return [];
  if (!options.requireOpenAPISchema && keepsUnknown) return [];
  const detail = options.requireOpenAPISchema ? "" : "because otherwise all fields are pruned";
  return (spec.versions ?? []).flatMap((version, i) => {
    const asked = options.requireOpenAPISchema || version.served;
    if (!asked || version.schema?.openAPIV3Schema !== undefined) return [];
    return [required(SPEC.child("versions").index(i).child("schema", "openAPIV3Schema"), detail)];
  });
}

function validateVersions(spec: Spec, options: Options): ErrorList {
  const versions = spec.versions ?? [];
  const own = versions.some((version) => version.subresources !== undefined);
  return versions.flatMap((version, i) => {
    const at = SPEC.child("versions").index(i);
    const name = version.name ?? "";
    const problems = isDNS1035Label(name);
    const errors = problems.length > 0 ? [invalid(at.child("name"), name, problems.join(","))] : [];
    const subresources = own
      ? versions.find((one) => one.name === version.name)?.subresources
      : spec.subresources;
    return [
      ...errors,
      ...validateVersion(version, subresources?.status !== undefined, options, at),
    ];
  });
}

function validateVersion(
  version: Version,
  statusEnabled: boolean,
  options: Options,
  at: Path,
): ErrorList {
  const errors = validateDeprecationWarning(version, at.child("deprecationWarning"));
  const schemaAt = at.child("schema");
  errors.push(
    ...validateCustomResourceValidation(
      version.schema,
      statusEnabled,
      options,
      schemaAt,
      version.name ?? "",
    ),
    ...validateSubresources(version.subresources, at.child("subresources")),
  );
  for (const [i, column] of (version.additionalPrinterColumns ?? []).entries()) {
    errors.push(...validatePrinterColumn(column, at.child("additionalPrinterColumns").index(i)));
  }
  const fields = version.selectableFields ?? [];
  if (fields.length === 0) return errors;
  const path = at.child("selectableFields");
  const schema = version.schema?.openAPIV3Schema;
  if (schema === undefined) {
    const detail = "may only be set when `version.schema.openAPIV3Schema` is not included";
    return [...errors, invalid(path, "", detail)];
  }
  const allowMany = options.tooManyFieldsAllowed(version.name ?? "");
  return [...errors, ...validateSelectableFields(fields, schema, allowMany, path)];
}

/** What stands at the top does not stand in versions too, and what all have stands at the top. */
function validateExclusive(spec: Spec): ErrorList {
  const errors: ErrorList = [];
  const versions = spec.versions ?? [];
  const parts = [
    ["validation", "schema", "schemas", "validation"],
    ["subresources", "subresources", "subresources", "subresources"],
    [
      "additionalPrinterColumns",
      "additionalPrinterColumns",
      "additionalPrinterColumns",
      "additionalPrinterColumns",
    ],
  ] as const;
  const isSet = (value: unknown) =>
    value !== undefined && !(Array.isArray(value) && value.length === 0);
  for (const [top, inner, plural] of parts) {
    if (!isSet(spec[top]) || !versions.some((version) => isSet(version[inner]))) continue;
    const detail = `top-level and per-version ${plural} are mutually exclusive`;
    errors.push(forbidden(SPEC.child(top), detail));
  }
  for (const [, inner, plural, topName] of parts) {
    const [first] = versions;
    const same =
      first !== undefined &&
      versions.every(
        (version) => isSet(version[inner]) && semanticDeepEqual(version[inner], first[inner]),
      );
    if (!same) continue;
    const detail = `per-version ${plural} may not all be set to identical values (top-level ${topName} should be used instead)`;
    errors.push(invalid(SPEC.child("versions"), printedVersions(versions), detail));
  }
  return errors;
}

function printedVersions(versions: readonly Version[]): unknown {
  const name =
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1.CustomResourceDefinitionVersion";
  const texts = versions.map((version) => goStruct(version, name).text);
  const printed = goStruct({}, name);
  return Object.assign(printed, { text: `[${texts.join(",")}]` });
}

function validateVersionList(spec: Spec): ErrorList {
  const errors: ErrorList = [];
  const versions = spec.versions ?? [];
  const at = SPEC.child("versions");
  const printed = () => (spec.versions === undefined ? null : printedVersions(versions));
  if (new Set(versions.map(({ name = "" }) => name)).size < versions.length) {
    errors.push(invalid(at, printed(), "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const detail = "must have exactly one version marked as storage version";
    errors.push(invalid(at, printed(), detail));
  }
  const { version = "" } = spec;
  if (version === "") return errors;
  const problems = isDNS1035Label(version);
  if (problems.length > 0) errors.push(invalid(SPEC.child("version"), version, problems.join(",")));
  if (versions.length > 0 && versions[0]?.name !== version) {
    const detail = "must match the first version in spec.versions";
    errors.push(invalid(SPEC.child("version"), version, detail));
  }
  return errors;
}

function validateTopLevel(spec: Spec, options: Options): ErrorList {
  const anyStatus =
    spec.subresources?.status !== undefined ||
    (spec.versions ?? []).some(({ subresources }) => subresources?.status !== undefined);
  const validationAt = SPEC.child("validation");
  const errors = [
    ...validateCustomResourceValidation(spec.validation, anyStatus, options, validationAt),
    ...validateSubresources(spec.subresources, SPEC.child("subresources")),
  ];
  for (const [i, column] of (spec.additionalPrinterColumns ?? []).entries()) {
    errors.push(...validatePrinterColumn(column, SPEC.child("additionalPrinterColumns").index(i)));
  }
  const fields = spec.selectableFields ?? [];
  if (fields.length === 0) return errors;
  const path = SPEC.child("selectableFields");
  const schema = spec.validation?.openAPIV3Schema;
  if (schema === undefined) {
    return [...errors, invalid(path, "", "may only be set when validations.schema is included")];
  }
  const allowMany = options.tooManyFieldsAllowed("");
  return [...errors, ...validateSelectableFields(fields, schema, allowMany, path)];
}

function validateSpecUpdate(spec: Spec, old: Spec, options: Options): ErrorList {
  const errors: ErrorList = [];
  const same = (value: string | undefined, stored: string | undefined, at: Path) =>
    errors.push(...validateImmutableField(value ?? "", stored ?? "", at));
  if (options.requireImmutableNames) {
    same(spec.scope, old.scope, SPEC.child("scope"));
    same(spec.names?.kind, old.names?.kind, SPEC.child("names", "kind"));
  }
  same(spec.group, old.group, SPEC.child("group"));
  same(spec.names?.plural, old.names?.plural, SPEC.child("names", "plural"));
  return errors;
}

/** Errors of an update of the status: accepted names are names. */
export function validateCustomResourceDefinitionStatus(crd: Crd): ErrorList {
  return validateNames(crd.status?.acceptedNames ?? {}, Path.root("status", "acceptedNames"));
}

function validateStoredVersions(
  stored: readonly string[],
  versions: readonly Version[],
): ErrorList {
  const at = Path.root("status", "storedVersions");
  if (stored.length === 0) return [invalid(at, null, "must have at least one stored version")];
  const errors: ErrorList = [];
  const names = versions.map(({ name = "" }) => name);
  for (const { name = "", storage } of versions) {
    if (!storage || stored.includes(name)) continue;
    errors.push(invalid(at, stored, `must have the storage version ${name}`));
  }
  for (const [i, name] of stored.entries()) {
    if (names.includes(name) || stored.lastIndexOf(name) !== i) continue;
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalid(at.index(i), name, detail));
  }
  return errors;
}

type Approval = "missing" | "bypassed" | "approved" | "invalid";

function approvalOf(crd: Crd): Approval {
  const text = crd.metadata?.annotations?.[APPROVED] ?? "";
  if (text === "") return "missing";
  if (text.startsWith("unapproved")) return "bypassed";
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/\s]+/.test(text) ? "approved" : "invalid";
}

/** Groups of the Kubernetes project need its word. */
function validateApproval(crd: Crd, old: Crd | undefined): ErrorList {
  const group = crd.spec?.group ?? "";
  const isProtected =
    group === "k8s.io" ||
    group.endsWith(".k8s.io") ||
    group === "kubernetes.io" ||
    group.endsWith(".kubernetes.io");
  const state = approvalOf(crd);
  if (!isProtected || (old !== undefined && approvalOf(old) === state)) return [];
  const at = Path.root("metadata", "annotations").key(APPROVED);
  const lead = `protected groups must have approval annotation "${APPROVED}"`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (state === "missing") return [required(at, `${lead}, ${see}`)];
  if (state !== "invalid") return [];
  const detail = `${lead} with either a URL or a reason starting with "unapproved", ${see}`;
  return [invalid(at, crd.metadata?.annotations?.[APPROVED] ?? "", detail)];
}

/** A definition's name is a DNS subdomain; see validateRequiredName for the rest. */
export const customResourceDefinitionName: typeof nameIsDNSSubdomain = (name, prefix) => {
  const problems = nameIsDNSSubdomain(name, prefix);
  return problems.length > 0 ? problems : isPathSegmentName(name);
};
