/** What a client reads of what storage reports. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { unsafeDeletionErrors } from "../../src/endpoints/handlers/delete-unreadable.ts";
import { interpretStorageError } from "../../src/storage/errors.ts";
import { noEncryption } from "../../src/storage/value/transformer.ts";

const of = { group: "", resource: "secrets" };
const unreadable = { code: "Corrupt", key: "/registry/secrets/a/b", message: "why" } as const;

test("a value that is no object: a bare 500; one that can not be opened: an internal error", () => {
  const bare = interpretStorageError(unreadable, "get", of, "b");
  assert.deepEqual([bare.reason, bare.message], ["", "why"]);
  const closed = { ...unreadable, encrypted: true };
  const get = interpretStorageError(closed, "get", of, "b");
  assert.deepEqual([get.reason, get.message], ["InternalError", "Internal error occurred: why"]);
  assert.equal(
    interpretStorageError(closed, "list", of, "").message,
    'Internal error occurred: unable to transform key "/registry/secrets/a/b": why',
  );
});

test("without a configuration, ciphertext is not taken for plain text", () => {
  const transformer = noEncryption("secrets");
  assert.throws(
    () => transformer.fromStorage(Buffer.from("k8s:enc:aescbc:v1:k:x"), "/a"),
    /identity transformer tried to read encrypted data/,
  );
});

test("a deletion of what can not be read takes no option that needs it read", () => {
  const raw = { gracePeriodSeconds: 0, preconditions: { uid: "u" } };
  assert.deepEqual(
    unsafeDeletionErrors(raw).map(({ detail }) => detail),
    [
      "cannot be set together with .gracePeriodSeconds",
      "cannot be set together with .preconditions",
    ],
  );
  assert.deepEqual(unsafeDeletionErrors({}), []);
});
