import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DecodeError } from "../../../src/apimachinery/runtime/decode-error.ts";
import { decodeJson, interpretTypeMeta } from "../../../src/apimachinery/runtime/json-decode.ts";
import { encodeJson } from "../../../src/apimachinery/runtime/json-encode.ts";
import { structOf } from "../../../src/apis/schemas.ts";

const core = (kind: string) => structOf(`k8s.io/api/core/v1.${kind}`);
const decode = (text: string, kind = "Pod") => decodeJson(text, core(kind), { strict: "Strict" });

function failure(text: string | Uint8Array, kind = "Pod"): DecodeError {
  try {
    decodeJson(text, core(kind), { strict: "Ignore" });
  } catch (error) {
    assert(error instanceof DecodeError);
    return error;
  }
  throw new assert.AssertionError({ message: `decoded: ${text}` });
}

describe("syntax errors have encoding/json's texts", () => {
  const cases: readonly (readonly [text: string, message: string])[] = [
    ["", "unexpected end of JSON input"],
    ["{", "unexpected end of JSON input"],
    ['{"a"', "unexpected end of JSON input"],
    ["x", "invalid character 'x' looking for beginning of value"],
    ["{x", "invalid character 'x' looking for beginning of object key string"],
    ['{"a"x', "invalid character 'x' after object key"],
    ['{"a":1 x', "invalid character 'x' after object key:value pair"],
    ["{} x", "invalid character 'x' after top-level value"],
    ['{"a":[1 x', "invalid character 'x' after array element"],
    ['{"a":"\n"}', "invalid character '\\n' in string literal"],
    ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
    ['{"a":"\\u00g0"}', "invalid character 'g' in \\u hexadecimal escape"],
    ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{"a":-x}', "invalid character 'x' in numeric literal"],
    ['{"a":1.x}', "invalid character 'x' after decimal point in numeric literal"],
    ['{"a":1ex}', "invalid character 'x' in exponent of numeric literal"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ["\u00e9", "invalid character 'Ã' looking for beginning of value"],
    ["'", "invalid character '\\'' looking for beginning of value"],
  ];
  for (const [text, message] of cases) {
    test(JSON.stringify(text), () => {
      const error = failure(text);
      assert.deepEqual([error.reason, error.message], ["syntax", message]);
    });
  }

  test("nesting is bounded, not the stack", () => {
    assert.equal(failure(`{"x":${"[".repeat(20_000)}`).message, "exceeded max depth");
    const deep = `{"data":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}`;
    const revision = structOf("k8s.io/api/apps/v1.ControllerRevision");
    assert.throws(() => decodeJson(deep, revision, { strict: "Ignore" }), /exceeded max depth/);
    const props = structOf(
      "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps",
    );
    for (const [open, close] of [
      ['{"not":', "}"],
      ['{"items":[', "]}"],
    ] as const) {
      const schemas = `${open.repeat(9000)}{}${close.repeat(9000)}`;
      assert.throws(() => decodeJson(schemas, props, { strict: "Warn" }), /exceeded max depth/);
    }
  });
});

describe("type errors have Go's texts", () => {
  const prefix = "json: cannot unmarshal";
  const cases: readonly (readonly [text: string, message: string])[] = [
    [
      '{"metadata":"x"}',
      `${prefix} string into Go struct field Pod.metadata of type v1.ObjectMeta`,
    ],
    [
      '{"metadata":{"name":{}}}',
      `${prefix} object into Go struct field ObjectMeta.metadata.name of type string`,
    ],
    [
      '{"metadata":{"labels":[]}}',
      `${prefix} array into Go struct field ObjectMeta.metadata.labels of type map[string]string`,
    ],
    [
      '{"metadata":{"labels":{"a":1}}}',
      `${prefix} number into Go struct field ObjectMeta.metadata.labels of type string`,
    ],
    [
      '{"spec":{"containers":["x"]}}',
      `${prefix} string into Go struct field PodSpec.spec.containers of type v1.Container`,
    ],
    [
      '{"spec":{"containers":{}}}',
      `${prefix} object into Go struct field PodSpec.spec.containers of type []v1.Container`,
    ],
    [
      '{"spec":{"priority":2147483648}}',
      `${prefix} number 2147483648 into Go struct field PodSpec.spec.priority of type int32`,
    ],
    [
      '{"spec":{"priority":1.5}}',
      `${prefix} number 1.5 into Go struct field PodSpec.spec.priority of type int32`,
    ],
    [
      '{"spec":{"hostNetwork":"x"}}',
      `${prefix} string into Go struct field PodSpec.spec.hostNetwork of type bool`,
    ],
    [
      '{"spec":{"restartPolicy":true}}',
      `${prefix} bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy`,
    ],
    [
      '{"spec":{"overhead":[]}}',
      `${prefix} array into Go struct field PodSpec.spec.overhead of type v1.ResourceList`,
    ],
    [
      '{"spec":{"volumes":[{"hostPath":[]}]}}',
      `${prefix} array into Go struct field Volume.spec.volumes.VolumeSource.hostPath of type v1.HostPathVolumeSource`,
    ],
    [
      '{"spec":{"overhead":{"cpu":"x"}}}',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      '{"metadata":{"creationTimestamp":"x"}}',
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ],
  ];
  for (const [text, message] of cases) {
    test(text, () => assert.equal(failure(text).message, message));
  }

  test("the first type error is told, but one of a type that decodes itself wins", () => {
    assert.match(failure('{"metadata":1,"spec":2}').message, /Pod\.metadata/);
    assert.match(failure('{"metadata":1,"spec":{"overhead":{"cpu":"x"}}}').message, /quantities/);
  });

  test("bad syntax wins over both", () => {
    assert.equal(failure('{"metadata":1,"spec":{').message, "unexpected end of JSON input");
  });

  test("base64", () => {
    const message = "illegal base64 data at input byte 5";
    assert.equal(failure('{"data":{"a":"UPPER_case"}}', "Secret").message, message);
  });
});

describe("strict errors", () => {
  const cases: readonly (readonly [text: string, errors: readonly string[]])[] = [
    ['{"spec":{"foo":1},"nope":1}', ['unknown field "spec.foo"', 'unknown field "nope"']],
    ['{"spec":{"containers":[{},{"x":{"y":1}}]}}', ['unknown field "spec.containers[1].x"']],
    ['{"metadata":{"name":"a"},"metadata":{}}', ['duplicate field "metadata"']],
    [
      '{"metadata":{"labels":{"a.b/c":"1","a.b/c":"2"}}}',
      ['duplicate field "metadata.labels.a.b/c"'],
    ],
    ['{"Metadata":{}}', ['unknown field "Metadata"']],
    ['{"x":1,"x":2}', ['unknown field "x"']],
  ];
  for (const [text, errors] of cases) {
    test(text, () => assert.deepEqual(decode(text).strictErrors, errors));
  }

  test("there are at most 100, and none when they are ignored", () => {
    const text = JSON.stringify(
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x${i}`, 1])),
    );
    assert.equal(decode(text).strictErrors.length, 100);
    assert.equal(decodeJson(text, core("Pod"), { strict: "Ignore" }).strictErrors.length, 0);
  });
});

describe("objects are canonical", () => {
  const cases: readonly (readonly [text: string, object: unknown])[] = [
    [
      '{"metadata":{"name":"a","labels":null,"generation":0},"spec":{}}',
      { metadata: { name: "a" } },
    ],
    ['{"spec":{"priority":0,"hostNetwork":false}}', { spec: { priority: 0 } }],
    [
      '{"spec":{"overhead":{"cpu":"1000m","memory":"1024Mi"}}}',
      { spec: { overhead: { cpu: "1", memory: "1Gi" } } },
    ],
    [
      '{"metadata":{"creationTimestamp":"2026-01-02T05:04:05.5+02:00"}}',
      { metadata: { creationTimestamp: "2026-01-02T03:04:05Z" } },
    ],
    [
      '{"metadata":{"name":"a"},"metadata":{"namespace":"b"}}',
      { metadata: { name: "a", namespace: "b" } },
    ],
    ['{"spec":{"securityContext":{}}}', { spec: { securityContext: {} } }],
    [
      '{"metadata":{"generation":9007199254740993}}',
      { metadata: { generation: 9007199254740993n } },
    ],
  ];
  for (const [text, object] of cases) {
    test(text, () => assert.deepEqual(decode(text).object, object));
  }

  test("keys of maps may have any name", () => {
    const { object } = decode('{"metadata":{"labels":{"__proto__":"a","constructor":"b"}}}');
    const labels = (object["metadata"] as { labels: object }).labels;
    assert.deepEqual(Object.entries(labels), [
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
    assert.equal(({} as Record<string, unknown>)["a"], undefined);
  });

  test("bytes that are not UTF-8 become U+FFFD, one each", () => {
    const bytes = Buffer.from('{"metadata":{"name":"\xff\xe2\x82"}}', "latin1");
    const { object } = decodeJson(bytes, core("Pod"), { strict: "Strict" });
    assert.deepEqual(object, { metadata: { name: "\ufffd\ufffd\ufffd" } });
  });
});

describe("interpretTypeMeta", () => {
  test("reads the whole body", () => {
    assert.deepEqual(interpretTypeMeta('{"kind":"Pod","apiVersion":"v1"}'), {
      kind: "Pod",
      apiVersion: "v1",
    });
    assert.deepEqual(interpretTypeMeta("null"), { kind: "", apiVersion: "" });
    const prefix = "couldn't get version/kind; json parse error: ";
    assert.throws(() => interpretTypeMeta('{"kind":"Pod"'), {
      message: `${prefix}unexpected end of JSON input`,
    });
    assert.throws(() => interpretTypeMeta('{"kind":1}'), {
      message: `${prefix}json: cannot unmarshal number into Go struct field .kind of type string`,
    });
    assert.throws(
      () => interpretTypeMeta("[]"),
      /into Go value of type struct \{ APIVersion string/,
    );
  });
});

describe("properties", () => {
  // Decoding keeps empty maps, which encoding leaves out: what is printed is the fixed point.
  test("whatever is decoded and encoded prints the same again", () => {
    const labels = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(
        labels,
        fc.string({ unit: "grapheme" }),
        fc.integer(),
        (map, name, generation) => {
          const text = JSON.stringify({ metadata: { name, generation, labels: map } });
          const { object } = decode(text);
          const printed = encodeJson(object, core("Pod"));
          assert.equal(encodeJson(decode(printed).object, core("Pod")), printed);
          const { metadata = {} } = JSON.parse(printed) as { metadata?: Record<string, unknown> };
          assert.deepEqual(metadata["labels"] ?? {}, JSON.parse(JSON.stringify(map)));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("no text crashes the decoder", () => {
    const seeds = ['{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c"}]}}'];
    const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom(...seeds));
    fc.assert(
      fc.property(text, fc.nat(80), fc.string({ maxLength: 3 }), (body, at, insert) => {
        try {
          decode(body.slice(0, at) + insert + body.slice(at));
        } catch (error) {
          assert(error instanceof DecodeError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
