import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLabelSelector } from "../../../src/apimachinery/labels/parse.ts";
import {
  isEverything,
  labelSelectorAsSelector,
  labelSelectorString,
  labelsMatch,
} from "../../../src/apimachinery/labels/selector.ts";

/** Upstream: selector_test.go, TestSelectorParse and TestToString. */
const readable: [text: string, printed?: string][] = [
  [""],
  ["x=a,y=b,z=c"],
  ["x!=a,y=b"],
  ["x=", "x="],
  ["x= ", "x="],
  ["x=,z= ", "x=,z="],
  ["x= ,z= ", "x=,z="],
  ["!x"],
  ["x>1"],
  ["x>1,z<5"],
  ["x in (b,a)", "x in (a,b)"],
  ["x notin (a,b),y", "x notin (a,b),y"],
  ["x in ()", "x in ()"],
  ["x == a", "x==a"],
  ["b,a", "a,b"],
  ["in=notin"],
];
for (const [text, printed = text] of readable) {
  test(`label selector ${JSON.stringify(text)}`, () => {
    assert.equal(labelSelectorString(parseLabelSelector(text)), printed);
  });
}

const unreadable = [
  "x=a||y=b",
  "x==a==b",
  "!x=a",
  "x<a",
  "x in a",
  "x in (a",
  "x,",
  ",",
  "x in (a b)",
  "a/b/c=d",
  "x=a b",
];
for (const text of unreadable) {
  test(`no label selector: ${text}`, () => {
    assert.throws(() => parseLabelSelector(text), { name: "SelectorError" });
  });
}

const matching: [text: string, labels: Record<string, string>, matches: boolean][] = [
  ["", { x: "y" }, true],
  ["x=y", { x: "y" }, true],
  ["x=y,z=w", { x: "y", z: "w" }, true],
  ["x!=y,z!=w", { x: "z", z: "a" }, true],
  ["notin=in", { notin: "in" }, true],
  ["x", { x: "z" }, true],
  ["!x", { y: "z" }, true],
  ["x>1", { x: "2" }, true],
  ["x<1", { x: "0" }, true],
  ["x>1", { x: "word" }, false],
  ["x=z", {}, false],
  ["x=y", { x: "z" }, false],
  ["x=y,z=w", { x: "w", z: "w" }, false],
  ["x!=y,z!=w", { x: "z", z: "w" }, false],
  ["x", { y: "z" }, false],
  ["!x", { x: "z" }, false],
  ["x notin (a,b)", {}, true],
  ["x in (a,b)", { x: "b" }, true],
];
for (const [text, labels, matches] of matching) {
  test(`${JSON.stringify(text)} on ${JSON.stringify(labels)}`, () => {
    assert.equal(labelsMatch(parseLabelSelector(text), labels), matches);
  });
}

test("an absent selector selects nothing, an empty one everything", () => {
  assert.equal(labelsMatch(labelSelectorAsSelector(undefined), {}), false);
  assert.equal(isEverything(labelSelectorAsSelector({})), true);
});

test("messages are upstream's", () => {
  const messages: [string, string][] = [
    ["x=a,,y=b", "found ',', expected: identifier after ','"],
    ["x in", "found '' expected: '('"],
    ["x<a", `for 'Gt', 'Lt' operators, the value must be an integer`],
  ];
  for (const [text, message] of messages) {
    assert.throws(
      () => parseLabelSelector(text),
      (error: Error) => error.message.includes(message),
      `${text}: ${message}`,
    );
  }
});
