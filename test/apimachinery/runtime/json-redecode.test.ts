import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cloneJson } from "../../../src/apimachinery/runtime/clone.ts";
import { DecodeError } from "../../../src/apimachinery/runtime/decode-error.ts";
import type { JsonObject, JsonValue } from "../../../src/apimachinery/runtime/json.ts";
import { decodeJson } from "../../../src/apimachinery/runtime/json-decode.ts";
import { encodeJson, encodeJsonValue } from "../../../src/apimachinery/runtime/json-encode.ts";
import { redecode } from "../../../src/apimachinery/runtime/json-redecode.ts";
import type { StructSchema } from "../../../src/apimachinery/runtime/type-schema.ts";
import { structOf } from "../../../src/apis/schemas.ts";

const pod = structOf("k8s.io/api/core/v1.Pod");
const live: JsonObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", labels: { x: "y" }, creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: {
    containers: [
      {
        name: "c",
        image: "i",
        ports: [{ containerPort: 80 }],
        resources: { limits: { cpu: "1", memory: "1Gi" } },
        livenessProbe: { httpGet: { port: "http" }, failureThreshold: 3 },
      },
      { name: "d", env: [{ name: "A", value: "" }] },
    ],
    volumes: [{ name: "v", secret: { secretName: "s", defaultMode: 420 } }],
    terminationGracePeriodSeconds: 30,
  },
  status: {
    conditions: [{ type: "Ready", status: "True", lastProbeTime: null }],
    phase: "Running",
  },
};

/** What the slow way makes of a document; undefined where it finds anything to say. */
function decoded(document: JsonValue, schema: StructSchema): JsonObject | undefined {
  try {
    const { object, strictErrors } = decodeJson(encodeJsonValue(document), schema, {
      strict: "Strict",
    });
    return strictErrors.length === 0 ? object : undefined;
  } catch (error) {
    assert(error instanceof DecodeError);
    return undefined;
  }
}

function changed(steps: readonly number[], value: JsonValue | undefined, add: string): JsonObject {
  const document = cloneJson(live);
  let place: JsonObject | JsonValue[] = document;
  for (const step of steps) {
    const names: string[] = Object.keys(place);
    const name: string = names[step % Math.max(names.length, 1)] ?? "x";
    const below: JsonValue | undefined = (place as JsonObject)[name];
    if (typeof below !== "object" || below === null || step > 900) {
      (place as JsonObject)[Array.isArray(place) || step % 7 > 0 ? name : add] = value;
      return document;
    }
    place = below;
  }
  return document;
}

const values = fc.oneof(
  fc.constantFrom<JsonValue>(null, "", 0, -0, false, {}, [], 1.5, 3e9, 2n ** 62n, 2n ** 70n),
  fc.constantFrom<JsonValue>("1000m", "2026-01-01T01:00:00+01:00", "x", { a: "b" }, ["x", null]),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
);

describe("redecode", () => {
  test("gives what decoding the text gives, or gives up", () => {
    const names = fc.constantFrom("image", "hostNetwork", "unknown", "restartPolicy");
    const steps = fc.array(fc.nat(1000), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(steps, values, names, (path, value, name) => {
        const document = changed(path, value, name);
        const fast = redecode(document, live, pod);
        if (fast !== undefined) assert.deepEqual(fast, decoded(document, pod));
      }),
      { numRuns: 3000 },
    );
  });

  test("takes stored objects, whose zero values are printed", () => {
    const stored = JSON.parse(encodeJson(live, pod)) as JsonObject;
    const document = { ...stored, metadata: { name: "a", labels: { x: "z" } } };
    assert.deepEqual(redecode(document, stored, pod), decoded(document, pod));
    assert.notEqual(redecode(document, stored, pod), undefined);
  });

  test("shares nothing", () => {
    const managed = { metadata: { managedFields: [{ fieldsV1: { "f:a": {} } }] } };
    const copy = redecode(managed, managed, pod) as typeof managed;
    assert.deepEqual(copy, managed);
    const [ours, theirs] = [copy, managed].map((one) => one.metadata.managedFields[0]?.fieldsV1);
    assert.notEqual(ours, theirs);
  });

  test("leaves to the decoder what it has words for", () => {
    for (const document of [
      [],
      { spec: { nosuch: 1 } },
      { spec: { nodeName: 1 } },
      { spec: { containers: [null] } },
      { metadata: { labels: { a: null } } },
      { spec: { containers: [{ resources: { limits: { cpu: "x" } } }] } },
    ]) {
      assert.equal(redecode(document, {}, pod), undefined, JSON.stringify(document));
    }
    const secret = structOf("k8s.io/api/core/v1.Secret");
    assert.equal(redecode({ data: { a: "!" } }, {}, secret), undefined);
    assert.deepEqual(redecode({ data: { a: "YQ==" } }, {}, secret), { data: { a: "YQ==" } });
  });
});

describe("cloneJson", () => {
  test("copies deeply, any name", () => {
    const value = JSON.parse('{"a":[1,{"b":null}],"__proto__":{"c":"d"}}') as JsonObject;
    const copy = cloneJson(value);
    assert.deepEqual(copy, value);
    assert.equal(Object.hasOwn(copy, "__proto__"), true);
    assert.notEqual(copy["a"], value["a"]);
  });
});
