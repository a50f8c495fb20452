/** Upstream: apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go. */
import { quote } from "../../../apimachinery/validation/field.ts";
import { type Schema, schemaHas } from "../../../apis/apiextensions/schema.ts";
import { fromV1beta1, toV1beta1 } from "../../../apis/apiextensions/v1/conversion.ts";
import { setCustomResourceDefinitionDefaults } from "../../../apis/apiextensions/v1/defaults.ts";
import type { CustomResourceDefinition } from "../../../apis/apiextensions/v1beta1/types.ts";
import {
  customResourceDefinitionName,
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionStatus,
} from "../../../apis/apiextensions/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { bumpGeneration, type Kube, keepFields, startGeneration } from "../../strategy-parts.ts";

type Crd = Kube<CustomResourceDefinition>;

export const registration: ResourceRegistration<Crd> = {
  group: "apiextensions.k8s.io",
  resource: "customresourcedefinitions",
  strategy: {
    validateName: customResourceDefinitionName,
    tracksGeneration: true,
    prepareForCreate(_context, object) {
      object.status = {};
      startGeneration(object);
      addStoredVersion(object);
    },
    validate: (_context, object) => validateCustomResourceDefinition(object),
    warningsOnCreate: (_context, object) => unknownFormats(object).map(warning),
    prepareForUpdate(_context, object, old) {
      keepFields(object, old, "status");
      bumpGeneration(object, old, "spec");
      addStoredVersion(object);
    },
    validateUpdate: (_context, object, old) => validateCustomResourceDefinition(object, old),
    warningsOnUpdate(_context, object, old) {
      const before = new Set(unknownFormats(old));
      return unknownFormats(object)
        .filter((format) => !before.has(format))
        .map(warning);
    },
    allowUnconditionalUpdate: false,
    resetFields: ["status"],
    subresources: {
      status: {
        // Upstream's reset of metadata is applied to the object itself: edits are kept.
        prepareForUpdate: (_context, object, old) => keepFields(object, old, "spec"),
        validateUpdate: (_context, object) => validateCustomResourceDefinitionStatus(object),
        resetFields: ["spec"],
        allowUnconditionalUpdate: false,
      },
    },
  },
  // None for v1beta1: they would be filled in after admission, and hide what v1 requires.
  defaults: { v1: setCustomResourceDefinitionDefaults },
  converters: { v1: { toStorage: toV1beta1, fromStorage: fromV1beta1 } },
};

function addStoredVersion(object: Crd): void {
  const storage = (object.spec?.versions ?? []).find((version) => version.storage);
  if (storage === undefined) return;
  object.status ??= {};
  const stored = object.status.storedVersions ?? [];
  const name = storage.name ?? "";
  if (!stored.includes(name)) object.status.storedVersions = [...stored, name];
}

const STRING_FORMATS = new Set(
  "bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn hexcolor rgbcolor byte password date duration datetime k8sshortname k8slongname".split(
    " ",
  ),
);

function isKnownFormat(type: string, format: string): boolean {
  switch (type) {
    case "":
    case "string":
      return STRING_FORMATS.has(format.replaceAll("-", ""));
    case "integer":
      return format === "int32" || format === "int64";
    case "number":
      return format === "float" || format === "double";
    default:
      return true;
  }
}

function unknownFormats({ spec }: Crd): string[] {
  const found: string[] = [];
  const collect = ({ format = "", type = "" }: Schema) => {
    if (format !== "" && !isKnownFormat(type, format)) found.push(format);
    return false;
  };
  schemaHas(spec?.validation?.openAPIV3Schema, collect);
  for (const { schema } of spec?.versions ?? []) schemaHas(schema?.openAPIV3Schema, collect);
  return found;
}

function warning(format: string): string {
  return `unrecognized format ${quote(format)}`;
}
