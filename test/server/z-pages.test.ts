import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../src/apimachinery/api/errors.ts";
import type { AuthorizedRequest, BytesResponse } from "../../src/request/request.ts";
import { zPage } from "../../src/server/z-pages.ts";
import { request } from "./requests.ts";

const page = zPage({
  kind: "Flagz",
  text: () => "v: 0\n",
  members: () => ({ flags: { v: "0" } }),
});

function ask(accept: string): string {
  const received = { ...request("GET", "/flagz"), headers: new Map([["accept", accept]]) };
  try {
    const answer = page(received as unknown as AuthorizedRequest) as BytesResponse;
    return `${answer.status} ${answer.headers[0]?.[1]} ${answer.body}`;
  } catch (error) {
    assert(error instanceof StatusError);
    return `${error.code} thrown`;
  }
}

const named = "v=v1beta1;g=config.k8s.io;as=Flagz";
const shown = `{"kind":"Flagz","apiVersion":"config.k8s.io/v1beta1","metadata":{"name":"apiserver"},"flags":{"v":"0"}}`;

test("text for people, an object for those who name its kind, 406 for all else", () => {
  for (const accept of ["", "*/*", "text/*", "text/plain;charset=utf-8", "foo/bar, text/plain"]) {
    assert.match(ask(accept), /^200 text\/plain; charset=utf-8 \napiserver flagz\nWarning: /);
  }
  const type = "application/json;g=config.k8s.io;v=v1beta1;as=Flagz";
  assert.equal(ask(`application/json;${named}`), `200 ${type} ${shown}\n`);
  assert.match(ask(`application/yaml;${named}`), /^200 application\/yaml;.* apiVersion: config/);
  assert.equal(ask("application/json"), "406 thrown");
  for (const other of ["text/html", `text/plain;${named}`, "application/json;as=Flagz"]) {
    assert.equal(ask(other), "406 thrown", other);
  }
  assert.match(ask(`application/json;${named.replace("Flagz", "Statusz")}`), /^406/);
});
