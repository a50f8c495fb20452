import assert from "node:assert/strict";
import { test } from "node:test";
import { respondStatus } from "../../src/endpoints/respond.ts";
import { requestWith } from "../authentication/requests.ts";

const status = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  code: 404,
} as const;
const plain = '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":404}\n';
const indented =
  '{\n  "kind": "Status",\n  "apiVersion": "v1",\n  "metadata": {},\n  "status": "Failure",\n  "code": 404\n}';

const rows = [
  ["kubectl/v1.36.0", "/api", plain],
  ["curl/8.5.0", "/api", indented],
  ["Mozilla/5.0 (X11)", "/api", indented],
  ["curl/8.5.0", "/api?pretty=false", plain],
  ["kubectl/v1.36.0", "/api?pretty=true", indented],
] as const;
for (const [agent, target, text] of rows) {
  test(`a Status for ${agent} at ${target}`, () => {
    const response = respondStatus(requestWith([["User-Agent", agent]], { target }), status);
    assert.equal(response.status, 404);
    assert.equal(Buffer.from(response.body).toString(), text);
  });
}

const forms = [
  ["application/json;as=Table;g=meta.k8s.io;v=v1", "application/json", indented],
  ["text/html", "application/json", indented],
  ["application/json;as=Table;g=meta.k8s.io;v=v1,application/json", "application/json", plain],
  ["text/html,application/yaml", "application/yaml", undefined],
  [
    "application/yaml;q=0.1,application/vnd.kubernetes.protobuf",
    "application/vnd.kubernetes.protobuf",
    undefined,
  ],
] as const;
for (const [accept, type, text] of forms) {
  test(`a Status for who accepts ${accept}`, () => {
    const headers = [
      ["User-Agent", "kubectl/v1.36.0"],
      ["Accept", accept],
    ] as const;
    const response = respondStatus(requestWith(headers, { target: "/api" }), status);
    assert.equal(response.headers[0]?.[1], type);
    if (text !== undefined) assert.equal(Buffer.from(response.body).toString(), text);
  });
}
