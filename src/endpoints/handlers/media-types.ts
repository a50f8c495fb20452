/** The media types a resource is served in. */
import type { ServedResource } from "../../registry/generic/served-resource.ts";
import { JSON_TYPE, type MediaType, PROTOBUF_TYPE, YAML_TYPE } from "../negotiation.ts";

const BUILT_IN: readonly MediaType[] = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];
const CUSTOM: readonly MediaType[] = [JSON_TYPE, YAML_TYPE];
const BUILT_IN_WATCH: readonly MediaType[] = [JSON_TYPE, PROTOBUF_TYPE];
const CUSTOM_WATCH: readonly MediaType[] = [JSON_TYPE];

export function mediaTypesOf(resource: ServedResource): readonly MediaType[] {
  return resource.protobuf ? BUILT_IN : CUSTOM;
}

export function watchMediaTypesOf(resource: ServedResource): readonly MediaType[] {
  return resource.protobuf ? BUILT_IN_WATCH : CUSTOM_WATCH;
}
