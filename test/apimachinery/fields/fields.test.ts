import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fieldSelectorString,
  fieldsMatch,
  parseFieldSelector,
  requiresExactMatch,
} from "../../../src/apimachinery/fields/selector.ts";

/** Upstream: fields/selector_test.go, TestSelectorParse. */
const readable: [text: string, printed?: string][] = [
  [""],
  ["x=a,y=b,z=c"],
  ["x!=a,y=b"],
  ["x==a", "x=a"],
  ["y=b,x=a", "x=a,y=b"],
  ["x=a,,", "x=a"],
  ["x=a\\=b\\,c\\\\"],
  ["x="],
];
for (const [text, printed = text] of readable) {
  test(`field selector ${JSON.stringify(text)}`, () => {
    assert.equal(fieldSelectorString(parseFieldSelector(text)), printed);
  });
}

for (const text of ["x", "x=a||y=b", "x==a==b", "x=\\a", "x=a\\"]) {
  test(`no field selector: ${text}`, () => {
    assert.throws(() => parseFieldSelector(text), { name: "SelectorError" });
  });
}

test("fields that are not there are empty", () => {
  assert.equal(fieldsMatch(parseFieldSelector("x="), {}), true);
  assert.equal(fieldsMatch(parseFieldSelector("x!=a"), {}), true);
  assert.equal(fieldsMatch(parseFieldSelector("x=a"), {}), false);
});

test("an exact match can be looked up", () => {
  const selector = parseFieldSelector("a=1,b!=2");
  assert.equal(requiresExactMatch(selector, "a"), "1");
  assert.equal(requiresExactMatch(selector, "b"), undefined);
});
