import assert from "node:assert/strict";
import { test } from "node:test";
import { basicAuthenticator, PasswordFileError } from "../../src/authentication/basic-auth.ts";
import { requestWith } from "./requests.ts";

const passwords = basicAuthenticator(
  'old,alice,1\nsecret,alice,1,"a,b"\np:q,bob,2\n"quo""ted",dora,4\n',
);
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
const ask = async (header: string) =>
  passwords.authenticate(requestWith([["Authorization", header]]));

test("the right password names the user", async () => {
  const found = await ask(basic("alice:secret"));
  assert.deepEqual(found?.user, { name: "alice", uid: "1", groups: ["a", "b"], extra: {} });
  assert.equal((await ask(basic("bob:p:q")))?.user.name, "bob");
  assert.equal((await ask(basic('dora:quo"ted')))?.user.name, "dora");
  assert.equal((await ask(basic("alice:secret").replace("Basic", "  bAsIc")))?.user.name, "alice");
});

test("anything else in a Basic header is an error, never anonymous", async () => {
  const wrong = [
    "alice:old",
    "alice:",
    "alice",
    ":",
    "",
    "nobody:",
    "nobody:secret",
    "Alice:secret",
  ];
  const headers = [...wrong.map(basic), "Basic", "Basic !", `Basic ${"A".repeat(100_000)}`];
  for (const header of headers) {
    await assert.rejects(ask(header), /^Error: invalid username\/password combination$/, header);
  }
});

test("other schemes are left to others", async () => {
  for (const header of ["", "Bearer alice", "Basics YTpi"]) {
    assert.equal(await ask(header), undefined);
  }
  assert.equal(await passwords.authenticate(requestWith()), undefined);
});

test("a malformed file is refused", () => {
  for (const text of ["a,b\n", ",alice,1\n", "secret,,1\n", '"open,alice,1\n']) {
    assert.throws(() => basicAuthenticator(text), PasswordFileError, text);
  }
  assert.throws(() => basicAuthenticator("a,b\n"), /at least 3 columns .*, found 2$/);
});
