import assert from "node:assert/strict";
import { test } from "node:test";
import { holdsMetadata, partialMetadata } from "../../src/endpoints/partial-metadata.ts";
import { registration } from "../../src/registry/apps/daemonsets/strategy.ts";
import type { ServedResource } from "../../src/registry/generic/served-resource.ts";
import type { HookSettings } from "../../src/registry/rest/strategy.ts";

const hooks = registration.hooks?.({} as HookSettings);
const daemonSets = { hooks } as unknown as ServedResource;
const others = { hooks: undefined } as unknown as ServedResource;
const generation = "deprecated.daemonset.template.generation";

test("an annotation that is a field upstream is no metadata", () => {
  const shown = (annotations: Record<string, string>, of = daemonSets) =>
    partialMetadata(of, { metadata: { name: "a", annotations } }, "v1").metadata;
  assert.deepEqual(shown({ [generation]: "1" }), { name: "a" });
  const both = { [generation]: "1", other: "x" };
  assert.deepEqual(shown(both), { name: "a", annotations: { other: "x" } });
  assert.deepEqual(shown(both, others), { name: "a", annotations: both });
  assert.equal(holdsMetadata(daemonSets), false);
  assert.equal(holdsMetadata(others), true);
});
