/** The transcoder against the codec in TypeScript, on random objects of every kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeJson } from "../../src/apimachinery/runtime/json-encode.ts";
import {
  decodeProtobufMessage,
  encodeProtobufMessage,
} from "../../src/apimachinery/runtime/protobuf.ts";
import { listKinds } from "../../src/apis/schemas.ts";
import { native } from "../../src/native/binding.ts";
import { Random, structValue } from "./random-objects.ts";

const target = Buffer.alloc(1 << 20);

test("random objects of every resource, both directions", () => {
  const random = new Random(20261125);
  const failures: string[] = [];
  let compared = 0;
  const schemas = new Set([...listKinds()].map((entry) => entry.schema));
  for (const schema of schemas) {
    const goName = schema.name;
    // A Table has no protobuf form.
    if (goName.endsWith("meta/v1.Table")) continue;
    for (let round = 0; round < 12; round++) {
      const object = structValue(schema, random, 0);
      const json = encodeJson(object, schema);
      const message = encodeProtobufMessage(object, schema);
      const n = native.jsonToProto(goName, "", "", "", Buffer.from(json), target, false);
      const got = n < 0 ? Buffer.from(`error ${n}`) : Buffer.from(target.subarray(0, n));
      if (!got.equals(message)) {
        let i = 0;
        while (got[i] === message[i]) i++;
        const near = (b: Buffer) =>
          JSON.stringify(b.toString("latin1", Math.max(0, i - 25), i + 25));
        failures.push(`${goName} proto at ${i}: native ${near(got)}, codec ${near(message)}`);
        continue;
      }
      const wanted = encodeJson(decodeProtobufMessage(message, schema), schema);
      const m = native.protoToJson(goName, "", "", "", message, target);
      const text = m < 0 ? `error ${m}` : target.toString("utf8", 0, m);
      if (text !== wanted) {
        let i = 0;
        while (text[i] === wanted[i]) i++;
        failures.push(
          `${goName} json: native ${text.slice(i - 40, i + 40)}, codec ${wanted.slice(i - 40, i + 40)}`,
        );
      }
      compared++;
    }
  }
  assert.deepEqual(failures.slice(0, 12), []);
  assert.ok(compared > 300, `${compared}`);
});
