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
