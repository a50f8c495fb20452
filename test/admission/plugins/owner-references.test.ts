import assert from "node:assert/strict";
import { test } from "node:test";
import { ownerReferencesPermissionEnforcement } from "../../../src/admission/plugins/owner-references-permission-enforcement.ts";
import { type AnyObject, run } from "../fakes.ts";

const asked: string[] = [];
const plugin = ownerReferencesPermissionEnforcement(
  async ({ user, verb, group, resource, subresource, namespace, name }) => {
    asked.push(`${verb} ${group}/${resource}/${subresource} ${namespace}/${name}`);
    return { allowed: user.name === "admin" || verb === user.name, reason: "why" };
  },
  (group, version, kind) => {
    if (kind === "ReplicaSet")
      return [{ group, version, resource: "replicasets", namespaced: true }];
    if (kind === "Node") return [{ group, version, resource: "nodes", namespaced: false }];
    return [];
  },
);
const user = (name: string) => ({ name, uid: "", groups: [], extra: {} });
const replicaSet = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "1" };
const owned = (...ownerReferences: Record<string, unknown>[]): AnyObject => ({
  metadata: { name: "p", namespace: "ns", ownerReferences } as never,
});
const blocking = (owner: Record<string, unknown>) => ({ ...owner, blockOwnerDeletion: true });
const update = (name: string, object: AnyObject, oldObject: AnyObject, subresource = "") =>
  run(plugin, { user: user(name), operation: "UPDATE", object, oldObject, subresource });

test("an update that leaves owners alone, and a create with owners, need nothing", async () => {
  assert.equal((await update("no", owned(replicaSet), owned(replicaSet))).message, "");
  assert.equal((await run(plugin, { user: user("no"), object: owned(replicaSet) })).message, "");
});

test("changing owners needs delete", async () => {
  assert.equal(
    (await update("no", owned(replicaSet), owned())).message,
    `pods "p" is forbidden: cannot set an ownerRef on a resource you can't delete: why, <nil>`,
  );
  assert.equal((await update("delete", owned(replicaSet), owned())).message, "");
  assert.equal((await update("no", owned(replicaSet), owned(), "status")).message, "");
});

test("blocking an owner's deletion needs its finalizers", async () => {
  asked.length = 0;
  const object = owned(blocking(replicaSet), blocking({ ...replicaSet, kind: "Node", uid: "2" }));
  assert.equal(
    (await run(plugin, { user: user("no"), object })).message,
    `pods "p" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: why, <nil>`,
  );
  assert.equal((await run(plugin, { user: user("update"), object })).message, "");
  assert.deepEqual(asked.slice(1), [
    "update apps/replicasets/finalizers ns/r",
    "update apps/nodes/finalizers /r",
  ]);
  // One that blocked before goes on to.
  const more = owned(blocking(replicaSet), { ...replicaSet, uid: "3" });
  assert.equal((await update("delete", more, owned(blocking(replicaSet)))).message, "");
});

test("an owner of an unknown kind blocks nothing", async () => {
  const object = owned(blocking({ ...replicaSet, kind: "X" }));
  assert.equal(
    (await run(plugin, { user: user("admin"), object })).message,
    'pods "p" is forbidden: cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion apps/v1 Kind X: no matches for kind "X" in version "apps/v1"',
  );
});
