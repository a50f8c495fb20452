/**
 * Who names an owner lets its deletion delete the object, and may hold the owner's deletion up: both
 * need the right to do so. Upstream: plugin/pkg/admission/gc.
 */
import { isDeepStrictEqual } from "node:util";
import type { OwnerReference } from "../../apimachinery/meta/types.ts";
import { parseApiVersion } from "../../apimachinery/runtime/gvk.ts";
import { deny } from "../errors.ts";
import type {
  AdmissionPlugin,
  Attributes,
  DeepReadonly,
  KindResource,
  MayUser,
} from "../plugin.ts";

type Request = DeepReadonly<Attributes>;
type Owners = readonly DeepReadonly<OwnerReference>[];

export type ResourcesOfKind = (
  group: string,
  version: string,
  kind: string,
) => readonly KindResource[];

export function ownerReferencesPermissionEnforcement(
  mayUser: MayUser,
  resourcesOfKind: ResourcesOfKind,
): AdmissionPlugin {
  return {
    name: "OwnerReferencesPermissionEnforcement",

    handles({ operation, resource, subresource }) {
      if (operation !== "CREATE" && operation !== "UPDATE") return false;
      // Old kubelets spoil them there, and the strategy keeps them as they were.
      const isPodStatus =
        resource.group === "" && resource.resource === "pods" && subresource === "status";
      return !isPodStatus;
    },

    async validate(attributes) {
      const { object, oldObject, operation } = attributes;
      const owners: Owners = object.metadata?.ownerReferences ?? [];
      const before: Owners = oldObject?.metadata?.ownerReferences ?? [];
      if (isDeepStrictEqual(owners, before)) return;
      if (operation !== "CREATE") await checkDelete(attributes, mayUser);
      const known = new Set(before.filter((one) => one.blockOwnerDeletion).map(({ uid }) => uid));
      for (const owner of owners) {
        if (!owner.blockOwnerDeletion || known.has(owner.uid)) continue;
        await checkFinalizers(attributes, owner, mayUser, resourcesOfKind);
      }
    },
  };
}

async function checkDelete(attributes: Request, mayUser: MayUser): Promise<void> {
  const { user, resource, subresource, namespace, name } = attributes;
  const { allowed, reason } = await mayUser({
    user,
    verb: "delete",
    ...resource,
    subresource,
    namespace,
    name,
  });
  if (allowed) return;
  throw deny(attributes, `cannot set an ownerRef on a resource you can't delete: ${reason}, <nil>`);
}

async function checkFinalizers(
  attributes: Request,
  owner: Owners[number],
  mayUser: MayUser,
  resourcesOfKind: ResourcesOfKind,
): Promise<void> {
  const { apiVersion = "", kind = "", name = "" } = owner;
  const { group = "", version = "" } = parseApiVersion(apiVersion) ?? {};
  const resources = resourcesOfKind(group, version, kind);
  if (resources.length === 0) {
    const missing = `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`;
    throw deny(
      attributes,
      `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}: ${missing}`,
    );
  }
  for (const { namespaced, ...resource } of resources) {
    const { allowed, reason } = await mayUser({
      user: attributes.user,
      verb: "update",
      ...resource,
      subresource: "finalizers",
      // An owner is in the namespace of what it owns, or in none.
      namespace: namespaced ? attributes.namespace : "",
      name,
    });
    if (allowed) continue;
    throw deny(
      attributes,
      `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${reason}, <nil>`,
    );
  }
}
