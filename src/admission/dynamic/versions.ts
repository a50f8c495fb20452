/**
 * Objects in other versions than the stored one, for webhooks and policies that ask for them.
 * Upstream: apiserver/pkg/admission/conversion.go; apimachinery runtime.EquivalentResourceMapper.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { GroupVersionKind, GroupVersionResource } from "../../apimachinery/runtime/gvk.ts";
import type { Attributes, DeepReadonly } from "../plugin.ts";

/** A resource in one version, and the kind of its objects (of its subresource's, where asked). */
export interface VersionedKind {
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
}

/** What the registry knows of versions; subresources with a kind of their own have one version. */
export interface Versions {
  /** Other served versions and groups of the same stored objects, for the subresource. */
  equivalents(resource: GroupVersionResource, subresource: string): readonly VersionedKind[];
  /** A copy in the version, with kind and apiVersion. */
  convert(object: DeepReadonly<KubeObject>, to: VersionedKind, subresource: string): KubeObject;
  /**
   * An object that was changed outside, as the registry would decode, default and convert it from
   * the version to the stored one. Throws DecodeError for what its type does not take.
   */
  readBack(object: unknown, from: VersionedKind, subresource: string): KubeObject;
  /** Merges an apply configuration into an object of the version. Throws an Error that says why not. */
  apply(object: KubeObject, configuration: unknown, of: VersionedKind): unknown;
  /** The object with a JSON patch's operations applied. Throws StatusError. */
  patch(object: KubeObject, operations: string): unknown;
  /** The resource that serves a kind, or undefined. */
  resourceOf(
    apiVersion: string,
    kind: string,
  ): (VersionedKind & { readonly namespaced: boolean }) | undefined;
}

/** Admission passes over the objects that configure it: they could lock everybody out. */
export function isAdmissionConfiguration({ kind }: DeepReadonly<Attributes>): boolean {
  return kind.group === "admissionregistration.k8s.io";
}

/** Makes `target` hold what `source` holds; others have the same object in hand. */
export function become(target: KubeObject, source: KubeObject): void {
  const into = target as unknown as Record<string, unknown>;
  for (const name of Object.keys(into)) delete into[name];
  Object.assign(into, source);
}
