// What must hold for any objects and any appliers.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compare } from "../../../src/endpoints/fieldmanager/compare.ts";
import { FieldSet, pathText } from "../../../src/endpoints/fieldmanager/field-set.ts";
import {
  canonicalElement,
  compareElements,
  elementText,
  FieldsError,
  sortElements,
} from "../../../src/endpoints/fieldmanager/path-element.ts";
import { toFieldSet, validateTyped } from "../../../src/endpoints/fieldmanager/typed-value.ts";
import {
  applyConfig,
  type Managers,
  type TypedObject,
  updateManagers,
} from "../../../src/endpoints/fieldmanager/updater.ts";
import { equals, type JsonMap } from "../../../src/endpoints/fieldmanager/value.ts";
import { rootType } from "./root-type.ts";

const options = { convert: (object: TypedObject) => object, ignoreFilters: new Map() };
const typed = (value: JsonMap): TypedObject => ({ apiVersion: "v1", type: rootType, value });

const text = fc.constantFrom("a", "b", "c", "__proto__", "toString");
const strings = fc.dictionary(text, text, { maxKeys: 3 });
const set = fc.uniqueArray(text, { maxLength: 4 });
const item = fc.record(
  { name: text, port: fc.constantFrom(80, 81), value: text, inner: set, sub: strings },
  { requiredKeys: ["name"] },
);
const items = fc.uniqueArray(item, {
  maxLength: 4,
  selector: ({ name, port }) => `${name}/${port ?? 80}`,
});
const config = fc
  .record(
    {
      list: items,
      set,
      atomicList: fc.array(item, { maxLength: 2 }),
      map: strings,
      structs: fc.dictionary(text, item, { maxKeys: 2 }),
      atomicMap: strings,
      struct: item,
      any: fc.jsonValue({ maxDepth: 2 }),
      num: fc.integer(),
      flag: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  // Plain objects, as a decoder makes them; -0 becomes 0.
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonMap);

test("applying the same twice changes nothing", () => {
  fc.assert(
    fc.property(config, config, (live, wanted) => {
      const owners = updateManagers(options, typed({}), typed(live), new Map(), "m");
      const once = applyConfig(options, typed(live), typed(wanted), owners, "a", true);
      const object = once.object ?? typed(live);
      const twice = applyConfig(options, object, typed(wanted), once.managers, "a", false);
      assert.equal(twice.object, undefined);
      assert.deepEqual(setsOf(twice.managers), setsOf(once.managers));
    }),
    { numRuns: 300 },
  );
});

const setsOf = (managers: Managers) =>
  Object.fromEntries([...managers].map(([name, owned]) => [name, owned.set.toFieldsV1()]));

test("appliers of different fields may come in any order", () => {
  fc.assert(
    fc.property(config, config, (one, two) => {
      const shared = new Set(Object.keys(one));
      const rest = Object.fromEntries(Object.entries(two).filter(([name]) => !shared.has(name)));
      const run = (first: [string, JsonMap], second: [string, JsonMap]) => {
        const a = applyConfig(options, typed({}), typed(first[1]), new Map(), first[0], false);
        const object = a.object ?? typed({});
        const b = applyConfig(options, object, typed(second[1]), a.managers, second[0], false);
        return { value: (b.object ?? object).value, owners: setsOf(b.managers) };
      };
      const forth = run(["one", one], ["two", rest]);
      const back = run(["two", rest], ["one", one]);
      assert.ok(equals(forth.value, back.value));
      assert.deepEqual(Object.entries(forth.owners).sort(), Object.entries(back.owners).sort());
    }),
    { numRuns: 300 },
  );
});

test("an object's creator owns everything in it, and its leaves are the applied leaves", () => {
  fc.assert(
    fc.property(config, (object) => {
      validateTyped(rootType, object, false);
      const owners = updateManagers(options, typed({}), typed(object), new Map(), "m");
      const owned = owners.get("m")?.set ?? FieldSet.empty;
      const mentioned = toFieldSet(rootType, object);
      assert.ok(mentioned.leaves().difference(owned).isEmpty);
      assert.ok(mentioned.isWithin(owned.ensureNamedFieldsAreMembers(rootType)));
    }),
    { numRuns: 300 },
  );
});

test("owners together own what was added or modified, and nobody owns it twice after updates", () => {
  fc.assert(
    fc.property(fc.array(config, { minLength: 2, maxLength: 4 }), (objects) => {
      let live = typed({});
      let managers: Managers = new Map();
      for (const [i, object] of objects.entries()) {
        managers = updateManagers(options, live, typed(object), managers, `m${i}`);
        live = typed(object);
      }
      let union = FieldSet.empty;
      for (const { set: owned } of managers.values()) {
        assert.ok(union.intersection(owned).isEmpty);
        union = union.union(owned);
      }
      const { added } = compare(rootType, {}, live.value);
      assert.ok(added.leaves().isWithin(union));
    }),
    { numRuns: 300 },
  );
});

test("comparing is symmetric, and empty for equal values", () => {
  fc.assert(
    fc.property(config, config, (left, right) => {
      const forth = compare(rootType, left, right);
      const back = compare(rootType, right, left);
      assert.ok(forth.added.equals(back.removed));
      assert.ok(forth.removed.equals(back.added));
      assert.ok(forth.modified.equals(back.modified));
      const same = compare(rootType, left, structuredClone(left));
      assert.ok(same.added.isEmpty && same.modified.isEmpty && same.removed.isEmpty);
    }),
    { numRuns: 300 },
  );
});

const element = fc.oneof(
  text.map((name) => `f:${name}`),
  text.map((name) => `k:{"name":"${name}"}`),
  fc.integer({ min: 0, max: 3 }).map((value) => `v:${value}`),
  fc.integer({ min: 0, max: 3 }).map((index) => `i:${index}`),
);
const paths = fc.array(fc.array(element, { minLength: 1, maxLength: 3 }), { maxLength: 12 });

/** A set as texts: the slow model of the algebra. */
function membersOf(of: FieldSet): Set<string> {
  const members = new Set<string>();
  of.visit((path) => members.add(JSON.stringify(path)));
  return members;
}

test("the algebra of sets is that of their members", () => {
  fc.assert(
    fc.property(paths, paths, (left, right) => {
      const [a, b] = [FieldSet.ofPaths(...left), FieldSet.ofPaths(...right)];
      const [ours, theirs] = [membersOf(a), membersOf(b)];
      const expect = (set: FieldSet, members: Iterable<string>) =>
        assert.deepEqual([...membersOf(set)].sort(), [...members].sort());
      expect(a.union(b), new Set([...ours, ...theirs]));
      expect(
        a.intersection(b),
        [...ours].filter((path) => theirs.has(path)),
      );
      expect(
        a.difference(b),
        [...ours].filter((path) => !theirs.has(path)),
      );
      const isBelow = (path: string) =>
        right.some(
          (prefix) =>
            path.startsWith(JSON.stringify(prefix).slice(0, -1)) &&
            /^[,\]]/.test(path.slice(JSON.stringify(prefix).length - 1)),
        );
      expect(
        a.recursiveDifference(b),
        [...ours].filter((path) => !isBelow(path)),
      );
      assert.equal(
        a.isWithin(b),
        [...ours].every((path) => theirs.has(path)),
      );
      assert.equal(
        a.equals(b),
        JSON.stringify([...ours].sort()) === JSON.stringify([...theirs].sort()),
      );
      assert.equal(a.size, ours.size);
      for (const path of left) assert.ok(a.has(path));
      // Through JSON and back, read lazily or checked.
      const raw = JSON.parse(JSON.stringify(a.toFieldsV1())) as JsonMap;
      assert.ok(FieldSet.decode(raw).equals(a));
      assert.ok(FieldSet.trusted(raw).equals(a));
      assert.equal(JSON.stringify(FieldSet.decode(raw).toFieldsV1()), JSON.stringify(raw));
    }),
    { numRuns: 500 },
  );
});

test("elements: canonical form, order and text", () => {
  const rows = [
    ["f:a b", "f:a b", ".a b"],
    ['k:{"b":1,"a":"x"}', 'k:{"a":"x","b":1}', '[a="x",b=1]'],
    ['k: {"a" : 1.0}', 'k:{"a":1}', "[a=1]"],
    ['v:"<"', 'v:"\\u003c"', '[="<"]'],
    ["v:true", "v:true", "[=true]"],
    ["v:1e2", "v:100", "[=100]"],
    ["i:-1", "i:-1", "[-1]"],
    ["i:007", "i:7", "[7]"],
  ] as const;
  for (const [raw, canonical, printed] of rows) {
    assert.equal(canonicalElement(raw), canonical);
    assert.equal(elementText(canonical), printed);
  }
  assert.equal(canonicalElement("x:anything"), undefined);
  for (const bad of ["", "f", "fa", "k:", "k:1", 'k:{"a":1}x', "v:", "v:1 2", "i:", "i:1.5"]) {
    assert.throws(() => canonicalElement(bad), FieldsError, bad);
  }
  const sorted = [
    "f:A",
    "f:a",
    "f:ab",
    "f:\uffff",
    "f:\u{1f600}",
    'k:{"a":1}',
    'k:{"a":2}',
    'k:{"a":2,"b":0}',
    'k:{"b":1}',
    "v:1",
    "v:2",
    "v:10",
    'v:"a"',
    "v:false",
    "v:true",
    "v:null",
    "i:0",
    "i:2",
    "i:10",
  ];
  assert.deepEqual(sortElements([...sorted].reverse()), sorted);
  for (let i = 1; i < sorted.length; i++) {
    assert.ok(compareElements(sorted[i - 1] ?? "", sorted[i] ?? "") < 0, sorted[i]);
  }
  assert.equal(pathText(["f:spec", 'k:{"n":"a"}', "f:x"]), '.spec[n="a"].x');
});

test("malformed sets are refused, unknown elements dropped", () => {
  const bad = [1, "x", [], { "f:a": 1 }, { a: {} }, { "f:a": { "k:{": {} } }];
  for (const raw of bad)
    assert.throws(() => FieldSet.decode(raw), FieldsError, JSON.stringify(raw));
  let deep: JsonMap = {};
  for (let i = 0; i < 5000; i++) deep = { "f:a": deep };
  assert.throws(() => FieldSet.decode(deep), FieldsError);
  const set = FieldSet.decode({ "f:b": { ".": 7, "f:c": null }, "z:q": {}, "f:a": { "z:q": {} } });
  assert.deepEqual(set.toFieldsV1(), { "f:a": {}, "f:b": { ".": {}, "f:c": {} } });
});
