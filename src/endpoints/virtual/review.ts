/**
 * What all reviews share: a question is decoded, defaulted, tracked and admitted as a create is, and
 * answered instead of stored.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { AuthorizedRequest, Handler } from "../../request/request.ts";
import {
  attributesOf,
  BODY_BYTES_MAX,
  ensureNamespace,
  namespaceOf,
  type RequestScope,
} from "../api-context.ts";
import { decodeBody } from "../body.ts";
import { optionsObject } from "../handlers/create.ts";
import { mediaTypesOf } from "../handlers/media-types.ts";
import { fieldManagerFor } from "../managed-fields.ts";
import { contentTypeOf, negotiate } from "../negotiation.ts";
import { managerOf, parseWriteOptions } from "../options.ts";
import { METADATA_TRANSFORMATIONS, respondEncoded, respondMetadata } from "../respond.ts";

/** One kind of review. */
export interface Review<T extends KubeObject> {
  /** Throws 400 or 422 for a question that can not be asked. */
  validate?(review: T, request: AuthorizedRequest): void;
  /** The whole answer. */
  answer(review: T, request: AuthorizedRequest): Promise<KubeObject>;
}

/** POST of a review: 201 with the answer. */
export function reviewHandler<T extends KubeObject>(
  scope: RequestScope,
  review: Review<T>,
): Handler {
  const { resource, api: shared } = scope;
  const mediaTypes = mediaTypesOf(resource);
  return async (request) => {
    const negotiated = negotiate(request, {
      mediaTypes,
      transformations: METADATA_TRANSFORMATIONS,
    });
    const bytes = await request.body(BODY_BYTES_MAX);
    const options = parseWriteOptions(request.query, "CreateOptions");
    const mediaType = contentTypeOf(request, mediaTypes);
    const decoded = decodeBody(request, bytes, mediaType, resource, options.fieldValidation);
    resource.setDefaults(decoded);
    ensureNamespace(decoded, resource, namespaceOf(request, resource));
    const manager = managerOf(options.fieldManager, request);
    const object = fieldManagerFor(resource, "").created(decoded, manager) as T;
    const attributes = attributesOf(scope, request, {
      operation: "CREATE",
      object,
      oldObject: undefined,
      options: optionsObject("CreateOptions", request, options),
      dryRun: options.dryRun,
      name: object.metadata?.name ?? "",
    });
    await shared.admission.admit(attributes);
    review.validate?.(object, request);
    await shared.admission.validate(attributes);
    const answer = await review.answer(object, request);
    if (negotiated.as !== undefined) {
      return respondMetadata(request, resource, negotiated, 201, answer);
    }
    return respondEncoded(request, negotiated, 201, answer, resource.schema, resource.kind);
  };
}
