/** Upstream: pkg/apis/authorization/validation/validation.go. */
import type { KubeObject, ObjectMeta } from "../../../apimachinery/meta/types.ts";
import type { JsonObject } from "../../../apimachinery/runtime/json.ts";
import { encodeJson } from "../../../apimachinery/runtime/json-encode.ts";
import {
  type ErrorList,
  invalid,
  Path,
  PrintedValue,
  required,
} from "../../../apimachinery/validation/field.ts";
import {
  validateFieldSelectorRequirement,
  validateLabelSelectorRequirement,
} from "../../../apimachinery/validation/labels.ts";
import { structOf } from "../../schemas.ts";
import { goStruct } from "../../validation/common.ts";
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  LocalSubjectAccessReview,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
  SubjectAccessReview,
} from "./types.ts";

type Review<T> = Omit<T, "metadata"> & KubeObject;

const AT = Path.root("spec");

/** Errors of a SubjectAccessReview, metadata's included. */
export function validateSubjectAccessReview(review: Review<SubjectAccessReview>): ErrorList {
  return [...validateSubjectSpec(review), ...validateEmptyMetadata(review, false)];
}

/** Errors of a SelfSubjectAccessReview, metadata's included. */
export function validateSelfSubjectAccessReview(
  review: Review<SelfSubjectAccessReview>,
): ErrorList {
  const { spec = {} } = review;
  return [
    ...validateAttributes(spec),
    ...validateResourceAttributes(spec.resourceAttributes),
    ...validateEmptyMetadata(review, false),
  ];
}

/** Errors of a LocalSubjectAccessReview: it asks about its own namespace only. */
export function validateLocalSubjectAccessReview(
  review: Review<LocalSubjectAccessReview>,
): ErrorList {
  const errors = [...validateSubjectSpec(review), ...validateEmptyMetadata(review, true)];
  const { resourceAttributes, nonResourceAttributes } = review.spec ?? {};
  const namespace = resourceAttributes?.namespace ?? "";
  if (resourceAttributes !== undefined && namespace !== (review.metadata?.namespace ?? "")) {
    const at = AT.child("resourceAttributes", "namespace");
    errors.push(invalid(at, namespace, "must match metadata.namespace"));
  }
  if (nonResourceAttributes !== undefined) {
    const at = AT.child("nonResourceAttributes");
    const value = printedNonResource(nonResourceAttributes);
    errors.push(invalid(at, value, "disallowed on this kind of request"));
  }
  return errors;
}

function printedNonResource(value: unknown): PrintedValue {
  return goStruct(value, "k8s.io/api/authorization/v1.NonResourceAttributes");
}

function validateSubjectSpec({ spec = {} }: Review<SubjectAccessReview>): ErrorList {
  const errors = validateAttributes(spec);
  if (!spec.user && (spec.groups ?? []).length === 0) {
    const detail = "at least one of user or group must be specified";
    errors.push(invalid(AT.child("user"), "", detail));
  }
  return [...errors, ...validateResourceAttributes(spec.resourceAttributes)];
}

function validateAttributes(spec: SelfSubjectAccessReviewSpec): ErrorList {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  if (resource !== undefined && other !== undefined) {
    const detail = "cannot be specified in combination with resourceAttributes";
    return [invalid(AT.child("nonResourceAttributes"), printedNonResource(other), detail)];
  }
  if (resource !== undefined || other !== undefined) return [];
  const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  return [invalid(AT.child("resourceAttributes"), null, detail)];
}

function validateResourceAttributes(attributes: ResourceAttributes | undefined): ErrorList {
  if (attributes === undefined) return [];
  const at = AT.child("resourceAttributes");
  return [
    ...validateFieldSelector(attributes.fieldSelector, at.child("fieldSelector")),
    ...validateLabelSelectorAttributes(attributes.labelSelector, at.child("labelSelector")),
  ];
}

const OPTIONS = { allowUnknownOperatorInRequirement: true };

function validateFieldSelector(selector: FieldSelectorAttributes | undefined, at: Path): ErrorList {
  if (selector === undefined) return [];
  const errors = validateRawOrRequirements(selector, at);
  for (const [i, requirement] of (selector.requirements ?? []).entries()) {
    const path = at.child("requirements").index(i);
    errors.push(...validateFieldSelectorRequirement(requirement, OPTIONS, path));
  }
  return errors;
}

function validateLabelSelectorAttributes(
  selector: LabelSelectorAttributes | undefined,
  at: Path,
): ErrorList {
  if (selector === undefined) return [];
  const errors = validateRawOrRequirements(selector, at);
  for (const [i, requirement] of (selector.requirements ?? []).entries()) {
    const path = at.child("requirements").index(i);
    errors.push(...validateLabelSelectorRequirement(requirement, OPTIONS, path));
  }
  return errors;
}

function validateRawOrRequirements(
  { rawSelector = "", requirements = [] }: FieldSelectorAttributes,
  at: Path,
): ErrorList {
  if (rawSelector !== "" && requirements.length > 0) {
    const detail = "may not specified at the same time as requirements";
    return [invalid(at.child("rawSelector"), rawSelector, detail)];
  }
  if (rawSelector !== "" || requirements.length > 0) return [];
  const detail = `when ${at} is specified, requirements or rawSelector is required`;
  return [required(at.child("requirements"), detail)];
}

/** A review is no stored object: it has no metadata, managed fields aside. */
function validateEmptyMetadata({ metadata = {} }: KubeObject, namespaced: boolean): ErrorList {
  const allowed: (keyof ObjectMeta)[] = namespaced
    ? ["managedFields", "namespace"]
    : ["managedFields"];
  const isEmpty = Object.entries(metadata).every(
    ([name, value]) =>
      allowed.includes(name as keyof ObjectMeta) ||
      value === undefined ||
      value === "" ||
      value === 0 ||
      (typeof value === "object" && Object.keys(value).length === 0),
  );
  if (isEmpty) return [];
  const schema = structOf("k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta");
  const printed = new PrintedValue(encodeJson(metadata as JsonObject, schema));
  const detail = namespaced ? "must be empty except for namespace" : "must be empty";
  return [invalid("metadata", printed, detail)];
}
