import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { ExternalSigner } from "../../src/authentication/service-account/external-signer.ts";
import { parseToken, verifySignature } from "../../src/authentication/service-account/jwt.ts";
import { type PluginState, servePlugin } from "./signer-plugin.ts";

const folder = mkdtempSync(join(tmpdir(), "signer-"));
const socket = join(folder, "signer.sock");
const key = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const state: PluginState = {
  keys: [],
  signer: "one",
  refreshSeconds: 60,
  maxSeconds: 86_400,
  calls: [],
};
const first = { id: "one", key: key() };
const logged: string[] = [];
const start = () =>
  ExternalSigner.start({
    socket,
    log: (message, error) => logged.push(`${message}: ${String(error)}`),
  });
let stop = await servePlugin(socket, state);
beforeEach(() => {
  Object.assign(state, { keys: [first], signer: "one", refreshSeconds: 60, maxSeconds: 86_400 });
  state.header = undefined;
  state.status = undefined;
  state.calls.length = 0;
});
after(() => {
  stop();
  rmSync(folder, { recursive: true, force: true });
});

test("tokens are the plugin's, and verify with its keys", async () => {
  const signer = await start();
  try {
    assert.equal(signer.maxExpirationSeconds, 86_400);
    assert.ok(signer.cacheSeconds > 50 && signer.cacheSeconds <= 60);
    const token = parseToken(await signer.sign({ sub: "x", iss: "y" }));
    assert.ok(token !== undefined);
    assert.deepEqual(token.claims, { sub: "x", iss: "y" });
    const [found] = await signer.keysFor(token.header.kid);
    assert.ok(found !== undefined && verifySignature(token, found));
    assert.deepEqual(state.calls, ["FetchKeys", "Metadata", "Sign"]);
  } finally {
    signer.close();
  }
});

test("an unknown key's id makes the plugin tell its keys again, once for all who ask", async () => {
  const signer = await start();
  try {
    state.keys = [first, { id: "two", key: key() }];
    const asked = await Promise.all([signer.keysFor("two"), signer.keysFor("two")]);
    assert.deepEqual(
      asked.map((keys) => keys.map(({ keyId }) => keyId)),
      [["two"], ["two"]],
    );
    assert.deepEqual(await signer.keysFor("three"), []);
    assert.equal(state.calls.filter((call) => call === "FetchKeys").length, 3);
  } finally {
    signer.close();
  }
});

test("keys are asked for again when the plugin says so", async () => {
  state.refreshSeconds = 1;
  const signer = await start();
  try {
    state.keys = [{ id: "next", key: key() }];
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    assert.deepEqual(
      signer.keys.map(({ keyId }) => keyId),
      ["next"],
    );
  } finally {
    signer.close();
  }
});

const bad: readonly (readonly [string, Partial<PluginState>, RegExp])[] = [
  ["another type", { header: { alg: "ES256", kid: "one", typ: "JOSE" } }, /header: bad type$/],
  ["no key id", { header: { alg: "ES256", typ: "JWT" } }, /header: key id missing$/],
  ["an endless key id", { header: { alg: "ES256", typ: "JWT", kid: "x".repeat(1025) } }, /1 kb$/],
  [
    "no algorithm of ours",
    { header: { alg: "none", typ: "JWT", kid: "one" } },
    /bad signing algorithm "none"$/,
  ],
  [
    "more in the header",
    { header: { alg: "ES256", typ: "JWT", kid: "one", x: 1 } },
    /unknown field "x"$/,
  ],
  [
    "a key of old tokens",
    { keys: [{ ...first, excluded: true }] },
    /\(kid: one\) is excluded from OIDC/,
  ],
  [
    "its refusal",
    { status: [7, "no"] },
    /signing jwt: rpc error: code = PermissionDenied desc = no$/,
  ],
];
for (const [what, change, message] of bad) {
  test(`no token from ${what}`, async () => {
    Object.assign(state, change);
    const signer = await start();
    try {
      await assert.rejects(signer.sign({ sub: "x" }), message);
    } finally {
      signer.close();
    }
  });
}

const unusable: readonly (readonly [string, Partial<PluginState>, RegExp])[] = [
  ["tokens too short", { maxSeconds: 599 }, /supported by external-jwt-signer \(599s\) is less/],
  ["no refresh hint", { refreshSeconds: 0 }, /found invalid refresh hint \(0s\)/],
  ["no keys", { keys: [] }, /found no keys/],
  ["a nameless key", { keys: [{ ...first, id: "" }] }, /found invalid public key id ""/],
];
for (const [what, change, message] of unusable) {
  test(`a plugin is not usable with ${what}`, async () => {
    Object.assign(state, change);
    await assert.rejects(start(), message);
  });
}

test("calls wait for a plugin that starts anew", async () => {
  const signer = await start();
  try {
    stop();
    const waiting = signer.sign({ sub: "late" });
    await new Promise((resolve) => setTimeout(resolve, 400));
    stop = await servePlugin(socket, state);
    assert.equal(parseToken(await waiting)?.claims["sub"], "late");
  } finally {
    signer.close();
  }
});

test("a socket in the abstract namespace", async () => {
  const name = `klystron-signer-${process.pid}`;
  const end = await servePlugin(`\0${name}`, state);
  const signer = await ExternalSigner.start({ socket: `@${name}`, log: () => {} });
  assert.equal(signer.keys.length, 1);
  signer.close();
  end();
});
