// Schemas with rules, and the causes that kube-apiserver v1.36 named for them (`^` is the schema).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { KubeObject } from "../../../src/apimachinery/meta/types.ts";
import { errorText } from "../../../src/apimachinery/validation/field.ts";
import type { Schema } from "../../../src/apis/apiextensions/schema.ts";
import { toV1beta1 } from "../../../src/apis/apiextensions/v1/conversion.ts";
import { contextOf, decoded, registrationOf } from "../verdicts.ts";

interface Recorded {
  readonly schema: Schema;
  readonly causes: readonly string[];
}

const crds = registrationOf("apiextensions.k8s.io", "customresourcedefinitions");
const file = new URL("../../fixtures/cel/schema-costs.json", import.meta.url);
const recorded = JSON.parse(readFileSync(file, "utf8")) as readonly Recorded[];

function definitionOf(specs: readonly Schema[]): KubeObject {
  const versions = specs.map((spec, i) => ({
    name: `v${i + 1}`,
    served: true,
    storage: i === 0,
    schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
  }));
  const names = { plural: "tests", singular: "test", kind: "Test", listKind: "TestList" };
  const object = toV1beta1(
    decoded(crds, {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "tests.a.example" },
      spec: { group: "a.example", scope: "Namespaced", names, versions },
    }),
  );
  crds.strategy.prepareForCreate?.(contextOf(object), object);
  return object;
}

function refusals(object: KubeObject, old?: KubeObject): string[] {
  const context = contextOf(object);
  const { strategy } = crds;
  const errors =
    old === undefined
      ? strategy.validate(context, object)
      : strategy.validateUpdate(context, object, old);
  return errors.map(errorText).filter((text) => text.includes("x-kubernetes-validations"));
}

for (const [i, { schema, causes }] of recorded.entries()) {
  test(`schema ${i + 1} costs what upstream says`, () => {
    const want = causes.map((cause) => cause.replace("^", "spec.validation.openAPIV3Schema"));
    assert.deepEqual(refusals(definitionOf([schema])), want);
  });
}

test("rules of a version whose schema stays may stay what they cost, but for their sum", () => {
  const dear = (recorded[1] as Recorded).schema;
  const other: Schema = { type: "string" };
  const both = definitionOf([other, dear]);
  const [only = "", ...more] = refusals(both);
  assert.match(
    only,
    /^spec\.versions\[1\].*: estimated rule cost exceeds budget by factor of 3\.1x/,
  );
  assert.deepEqual(more, []);
  assert.deepEqual(refusals(definitionOf([other, dear]), both), []);
  const changed: Schema = { ...dear, description: "changed" };
  assert.equal(refusals(definitionOf([other, changed]), both).length, 1);
  const dearest = (recorded[0] as Recorded).schema;
  const stored = definitionOf([other, dearest]);
  assert.equal(refusals(stored).length, 3);
  assert.equal(refusals(definitionOf([other, dearest]), stored).length, 2);
});
