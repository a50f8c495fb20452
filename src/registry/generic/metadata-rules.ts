/** The rules of metadata that updates pass. Upstream: rest.BeforeUpdate, validateCommonFields. */

import { unknownError } from "../../apimachinery/api/errors.ts";
import type { ObjectMeta } from "../../apimachinery/meta/types.ts";
import { goQuote } from "../../apimachinery/runtime/go-text.ts";
import { type ErrorList, Path } from "../../apimachinery/validation/field.ts";
import {
  nameIsPathSegment,
  validateKubeFinalizers,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from "../../apimachinery/validation/object-meta.ts";
import type { MetadataRules, SubresourceStrategy } from "../rest/strategy.ts";
import { checksFinalizers } from "./finalizers.ts";
import type { ServedResource } from "./served-resource.ts";

const METADATA = Path.root("metadata");
const DEFAULT_RULES: MetadataRules = ["update"];

/** What is wrong with the metadata of an updated object, every cause as often as upstream tells it. */
export function validateUpdatedMetadata(
  resource: Pick<ServedResource, "gvr" | "namespaced" | "protobuf" | "strategy">,
  { updateMetadataRules: rules = DEFAULT_RULES }: Pick<SubresourceStrategy, "updateMetadataRules">,
  metadata: ObjectMeta,
  old: ObjectMeta,
): ErrorList {
  const { strategy, namespaced } = resource;
  const errors = [
    ...validateObjectMeta(metadata, namespaced, nameIsPathSegment, METADATA),
    ...validateObjectMetaUpdate(metadata, old, METADATA),
  ];
  if (strategy.ownMetadataRules) return errors;
  // Where nothing was wrong, a rule that looks again can only find fault with the names.
  const isFine = errors.length === 0;
  const { name, generateName, namespace } = metadata;
  const doubtful = isFine ? { name, generateName, namespace } : metadata;
  for (const rule of rules) {
    if (rule !== "update") {
      errors.push(...validateObjectMeta(doubtful, namespaced, strategy.validateName, METADATA));
    } else if (!isFine) errors.push(...validateObjectMetaUpdate(metadata, old, METADATA));
    if (checksFinalizers(resource)) errors.push(...validateKubeFinalizers(metadata, METADATA));
  }
  return errors;
}

const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * An object's resourceVersion as a number, 0 for none. Throws a 500 with Go's text for what is no
 * number of 64 bits. Upstream: APIObjectVersioner.ObjectResourceVersion.
 */
export function parseResourceVersion(text: string | undefined): bigint {
  if (!text) return 0n;
  const fail = (why: string) => unknownError(`strconv.ParseUint: parsing ${goQuote(text)}: ${why}`);
  if (!/^[0-9]+$/.test(text)) throw fail("invalid syntax");
  const version = BigInt(text);
  if (version > MAX_UINT64) throw fail("value out of range");
  return version;
}
