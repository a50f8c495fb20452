import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openSecretbox, sealSecretbox } from "../../../src/storage/value/secretbox.ts";

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ""), "hex");

// NaCl's tests/secretbox.c.
const key = hex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
const nonce = hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
const message = hex(`
  be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129
  6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde
  048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705`);
const box = hex(`
  f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a
  c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae
  90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74
  e355a5`);

test("NaCl's own vector, both ways", () => {
  assert.equal(sealSecretbox(message, nonce, key).toString("hex"), box.toString("hex"));
  assert.equal(openSecretbox(box, nonce, key)?.toString("hex"), message.toString("hex"));
});

test("every length opens again; any flipped bit does not", () => {
  const bytes = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max });
  const property = fc.property(bytes(0, 300), bytes(24), bytes(32), fc.nat(), (m, n, k, at) => {
    const sealed = sealSecretbox(m, n, k);
    assert.deepEqual(openSecretbox(sealed, n, k), Buffer.from(m));
    const i = at % sealed.length;
    sealed[i] = (sealed[i] ?? 0) ^ (1 << (at % 8));
    assert.equal(openSecretbox(sealed, n, k), undefined);
  });
  fc.assert(property, { numRuns: 100 });
});
