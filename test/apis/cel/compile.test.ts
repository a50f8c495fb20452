import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CelType, celType, compileCel, DYN } from "../../../src/apis/cel/compile.ts";

const fields = new Map<string, CelType>([
  ["a", celType("int")],
  ["s", celType("string")],
  ["l", { kind: "list", elem: celType("string") }],
]);
const self: CelType = { kind: "object", name: "object", field: (name) => fields.get(name) };
const environment = {
  variables: new Map<string, CelType>([
    ["object", DYN],
    ["self", self],
  ]),
};

const rows: readonly (readonly [text: string, first: string | undefined, type?: string])[] = [
  ["self.a < 10", undefined, "bool"],
  ["object.spec.replicas <= 5 && has(object.metadata.labels)", undefined, "bool"],
  ["self.l.all(x, x.startsWith('a'))", undefined, "bool"],
  ["self.l.map(x, size(x))", undefined, "list(int)"],
  ["self.a > 1 ? 'x' : 'y'", undefined, "string"],
  ['r\'\\d\' + """q"""', undefined, "string"],
  ["{'a': 1}['a']", undefined, "int"],
  ["cel.bind(x, self.a, x + 1)", undefined, "int"],
  ["sets.contains([1], [2])", undefined, "bool"],
  ["x y", "1:3: Syntax error: extraneous input 'y' expecting <EOF>"],
  ["-x", "1:2: undeclared reference to 'x' (in container '')"],
  ["self.b == 1", "1:5: undefined field 'b'"],
  ["f(1)", "1:2: undeclared reference to 'f' (in container '')"],
  ["1 + 'a'", "1:3: found no matching overload for '_+_' applied to '(int, string)'"],
  ["self.s < 1", "1:8: found no matching overload for '_<_' applied to '(string, int)'"],
  ["!self.a", "1:1: found no matching overload for '!_' applied to '(int)'"],
  ["(1", "1:3: Syntax error: mismatched input '<EOF>' expecting ')'"],
  ["object.a\n&& y", "2:4: undeclared reference to 'y' (in container '')"],
];
for (const [text, first, type] of rows) {
  test(`compile ${JSON.stringify(text)}`, () => {
    const compiled = compileCel(text, environment);
    const line = compiled.problem
      ?.split("\n")[0]
      ?.replace("compilation failed: ERROR: <input>:", "");
    assert.equal(line, first);
    if (type === undefined) return;
    const { type: got } = compiled;
    const printed =
      got.kind === "list" && got.elem.kind === "simple" ? `list(${got.elem.name})` : "";
    assert.equal(got.kind === "simple" ? got.name : printed, type);
  });
}

test("no text makes the compiler throw, nor take long", () => {
  const token = fc.constantFrom(
    ..."( ) [ ] { } . , : ? ! - + * / % < <= == && || in a self object has all 1 1.5 'x' \" \\ \n ` 0x 1u b'".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
      compileCel(tokens.join(" "), environment);
      compileCel(tokens.join(""), environment);
    }),
    { numRuns: 500 },
  );
  assert.match(compileCel("(".repeat(5000), environment).problem ?? "", /recursion limit/);
  assert.match(compileCel(`${"!".repeat(5000)}true`, environment).problem ?? "", /recursion limit/);
});
