import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import protobufjs from "protobufjs";
import { DecodeError } from "../../../src/apimachinery/runtime/decode-error.ts";
import type { JsonObject } from "../../../src/apimachinery/runtime/json.ts";
import { decodeJson } from "../../../src/apimachinery/runtime/json-decode.ts";
import { encodeJson } from "../../../src/apimachinery/runtime/json-encode.ts";
import {
  decodeProtobuf,
  encodeProtobuf,
  encodeProtobufMessage,
  openEnvelope,
} from "../../../src/apimachinery/runtime/protobuf.ts";
import { schemaForKind, structOf } from "../../../src/apis/schemas.ts";
import { protobufType } from "./protobufjs-oracle.ts";

const gvk = { group: "", version: "v1", kind: "Pod" };
const pod = structOf("k8s.io/api/core/v1.Pod");

const sample: JsonObject = {
  kind: "Pod",
  apiVersion: "v1",
  metadata: {
    name: "a",
    labels: { b: "2", a: "1" },
    generation: 7,
    creationTimestamp: "2026-01-02T03:04:05Z",
    managedFields: [{ manager: "m", fieldsV1: { "f:spec": {} } }],
  },
  spec: {
    volumes: [{ name: "v", hostPath: { path: "/" } }],
    containers: [
      {
        name: "c",
        resources: { limits: { cpu: "1500m" } },
        readinessProbe: { httpGet: { port: "http" }, periodSeconds: -1 },
        livenessProbe: { tcpSocket: { port: 80 } },
      },
    ],
    terminationGracePeriodSeconds: 0,
  },
};

describe("protobuf", () => {
  test("what is encoded decodes to the same object", () => {
    const bytes = encodeProtobuf(sample, pod, gvk);
    const decoded = decodeProtobuf(bytes, schemaForKind);
    assert.deepEqual(decoded.gvk, gvk);
    assert.equal(encodeJson(decoded.object, pod), encodeJson(sample, pod));
  });

  test("protobufjs reads our bytes and writes the same ones", () => {
    const type = protobufType(pod);
    const bytes = encodeProtobufMessage(sample, pod);
    const again = type.encode(type.decode(bytes)).finish();
    assert.deepEqual(Buffer.from(again), bytes);
  });

  test("the envelope is k8s and a runtime.Unknown", () => {
    const bytes = encodeProtobuf({}, pod, gvk);
    assert.equal(bytes.subarray(0, 4).toString("latin1"), "k8s\0");
    const { apiVersion, kind } = openEnvelope(bytes);
    assert.deepEqual([apiVersion, kind], ["v1", "Pod"]);
  });

  test("unknown fields are passed", () => {
    const writer = protobufjs.Writer.create();
    writer
      .uint32(2000 * 8 + 2)
      .string("new")
      .uint32(2001 * 8)
      .uint32(5);
    const message = Buffer.concat([
      Buffer.from(writer.finish()),
      encodeProtobufMessage(sample, pod),
    ]);
    const envelope = protobufjs.Writer.create()
      .uint32(2 * 8 + 2)
      .bytes(message)
      .finish();
    const body = Buffer.concat([Buffer.from("k8s\0"), Buffer.from(envelope)]);
    assert.deepEqual(
      decodeProtobuf(body, pod).object["spec"],
      decodeProtobuf(encodeProtobuf(sample, pod, gvk), pod).object["spec"],
    );
  });

  test("integers of 64 bits are exact", () => {
    const values = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n];
    for (const generation of values) {
      const bytes = encodeProtobuf({ metadata: { generation } }, pod, gvk);
      const metadata = decodeProtobuf(bytes, pod).object["metadata"] as JsonObject | undefined;
      assert.equal(BigInt((metadata?.["generation"] ?? 0) as number | bigint), generation);
    }
  });
});

describe("bad bytes give DecodeError and nothing else", () => {
  test("texts", () => {
    const cases: readonly (readonly [bytes: string, message: string])[] = [
      ["", "empty data"],
      ["k8s\0\x01\x02", "proto: Unknown: illegal tag 0 (wire type 1)"],
      ["k8s\0\x12\x05", "unexpected EOF"],
      [
        "{}",
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
      ],
    ];
    for (const [bytes, message] of cases) {
      assert.throws(() => openEnvelope(Buffer.from(bytes, "latin1")), { message });
    }
  });

  test("mutations of a good body", () => {
    const good = encodeProtobuf(sample, pod, gvk);
    fc.assert(
      fc.property(fc.nat(good.length), fc.uint8Array({ maxLength: 4 }), (at, insert) => {
        const bad = Buffer.concat([good.subarray(0, at), insert, good.subarray(at + 1)]);
        try {
          const { object } = decodeProtobuf(bad, pod);
          decodeJson(encodeJson(object, pod), pod, { strict: "Strict" });
        } catch (error) {
          assert(error instanceof DecodeError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("a schema that holds itself cannot exhaust the stack", () => {
    const props = structOf(
      "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps",
    );
    let message: Uint8Array = new Uint8Array();
    const not = props.byJson.get("not")?.number ?? 0;
    for (let i = 0; i < 3000; i++)
      message = protobufjs.Writer.create()
        .uint32(not * 8 + 2)
        .bytes(message)
        .finish();
    const envelope = protobufjs.Writer.create().uint32(18).bytes(message).finish();
    const body = Buffer.concat([Buffer.from("k8s\0"), Buffer.from(envelope)]);
    assert.throws(() => decodeProtobuf(body, props), { message: "exceeded max depth" });
  });
});
