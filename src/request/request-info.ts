/**
 * What a request asks for, read from its method and path alone.
 * Upstream: apiserver/pkg/endpoints/request/requestinfo.go.
 */
import type { FieldSelector } from "../apimachinery/fields/selector.ts";
import type { LabelSelector } from "../apimachinery/labels/selector.ts";

export type Verb =
  | "get"
  | "list"
  | "watch"
  | "create"
  | "update"
  | "patch"
  | "delete"
  | "deletecollection"
  | "proxy"
  // Non-resource verbs are lower-case HTTP methods.
  | (string & {});

export interface RequestInfo {
  readonly isResourceRequest: boolean;
  /** The path as routed: percent-decoded once, without the query. */
  readonly path: string;
  readonly verb: Verb;
  /** `api` or `apis`; "" for non-resource requests. */
  readonly apiPrefix: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Path segments from the resource on. */
  readonly parts: readonly string[];
  readonly fieldSelector?: FieldSelector;
  readonly labelSelector?: LabelSelector;
}
