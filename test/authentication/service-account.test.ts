import assert from "node:assert/strict";
import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { test } from "node:test";
import { createIssuer } from "../../src/authentication/service-account/issuer.ts";
import {
  parseToken,
  signToken,
  verifySignature,
} from "../../src/authentication/service-account/jwt.ts";
import {
  jsonWebKey,
  KeyError,
  parseSigningKey,
  parseVerificationKeys,
} from "../../src/authentication/service-account/keys.ts";
import { splitServiceAccountName } from "../../src/authentication/service-account/names.ts";
import type { TokenObjects } from "../../src/authentication/service-account/objects.ts";
import {
  boundTokenAuthenticator,
  legacyTokenAuthenticator,
} from "../../src/authentication/service-account/token-authenticator.ts";

const ISSUER = "https://kubernetes.default.svc";
const API = [ISSUER];
const pemOf = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }).toString();
const publicPem = (key: KeyObject) =>
  createPublicKey(pemOf(key)).export({ type: "spki", format: "pem" }).toString();
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey;
const rsaKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ecKey = ec("P-256");
const strangerKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

const account = { metadata: { namespace: "ns", name: "sa", uid: "sa-1" } };
const pod = { metadata: { namespace: "ns", name: "web", uid: "pod-1" } };
const node = { metadata: { name: "n1", uid: "node-1" } };
const secret = { metadata: { namespace: "ns", name: "s", uid: "secret-1" } };
const all = { account, pod, node, secret } as Record<string, unknown>;
const objectsOf = (live: Record<string, unknown>): TokenObjects =>
  ({
    serviceAccount: async (ns: string, name: string) =>
      ns === "ns" && name === "sa" ? live["account"] : undefined,
    pod: async () => live["pod"],
    secret: async () => live["secret"],
    node: async () => live["node"],
  }) as unknown as TokenObjects;

let now = Date.now();
const keys = [
  ...parseVerificationKeys(publicPem(rsaKey)),
  ...parseVerificationKeys(publicPem(ecKey)),
];
const optionsOf = (live = all) => ({
  keysFor: (id: string) => keys.filter(({ keyId }) => id === "" || keyId === id),
  issuers: [ISSUER, "https://old.example"],
  apiAudiences: API,
  objects: objectsOf(live),
  lookup: true,
  now: () => now,
});
const bound = (live = all) => boundTokenAuthenticator(optionsOf(live));
const issuerWith = (key: KeyObject, maxExpirationSeconds = 0) =>
  createIssuer({
    sign: (claims) => signToken(parseSigningKey(pemOf(key)), claims),
    issuer: ISSUER,
    apiAudiences: API,
    extendsExpiration: true,
    maxExpirationSeconds,
  });
const issue = async (
  bindings = {},
  spec: object = { audiences: API, expirationSeconds: 600 },
  key = rsaKey,
) => issuerWith(key).issue(account, { spec } as never, bindings);

for (const [name, key] of [
  ["RS256", rsaKey],
  ["ES256", ecKey],
] as const) {
  test(`a token issued with ${name} is good`, async () => {
    const { token, expirationTimestamp } = await issue({}, undefined, key);
    const header = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
    assert.equal(header.alg, name);
    assert.match(expirationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const found = await bound().authenticateToken(token, API);
    assert.equal(found?.user.name, "system:serviceaccount:ns:sa");
    assert.equal(found?.user.uid, "sa-1");
    assert.deepEqual(found?.user.groups, ["system:serviceaccounts", "system:serviceaccounts:ns"]);
    assert.deepEqual(found?.audiences, API);
  });
}

test("claims are in order and name what the token is bound to", async () => {
  const { token } = await issue({ pod, node });
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  assert.deepEqual(Object.keys(claims), [
    "aud",
    "exp",
    "iat",
    "iss",
    "jti",
    "kubernetes.io",
    "nbf",
    "sub",
  ]);
  assert.deepEqual(claims["kubernetes.io"], {
    namespace: "ns",
    node: { name: "n1", uid: "node-1" },
    pod: { name: "web", uid: "pod-1" },
    serviceaccount: { name: "sa", uid: "sa-1" },
  });
  const found = await bound().authenticateToken(token, API);
  assert.deepEqual(found?.user.extra["authentication.kubernetes.io/pod-name"], ["web"]);
  assert.deepEqual(found?.user.extra["authentication.kubernetes.io/node-uid"], ["node-1"]);
  assert.match(found?.user.extra["authentication.kubernetes.io/credential-id"]?.[0] ?? "", /^JTI=/);
});

test("a pod's token to this server lives a year and says when to warn", async () => {
  const spec = { audiences: API, expirationSeconds: 3607 };
  const claimsOf = ({ token }: { token: string }) =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const extended = claimsOf(await issue({ pod }, spec));
  assert.equal(extended.exp - extended.iat, 365 * 24 * 3600);
  assert.equal(extended["kubernetes.io"].warnafter - extended.iat, 3607);
  const others = [
    claimsOf(await issue({}, spec)),
    claimsOf(await issue({ pod }, { ...spec, expirationSeconds: 3600 })),
    claimsOf(await issue({ pod }, { ...spec, audiences: ["vault"] })),
  ];
  for (const claims of others) assert.equal(claims["kubernetes.io"].warnafter, undefined);
});

const gone: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ["the account is gone", { account: undefined }, /not found/],
  [
    "the account was made again",
    { account: { metadata: { uid: "sa-2" } } },
    /service account UID \(sa-2\) does not match claim \(sa-1\)/,
  ],
  ["the pod is gone", { pod: undefined }, /has been invalidated/],
  ["the pod was made again", { pod: { metadata: { uid: "pod-2" } } }, /pod UID/],
  [
    "the pod was deleted long ago",
    { pod: { metadata: { uid: "pod-1", deletionTimestamp: "2020-01-01T00:00:00Z" } } },
    /has been invalidated/,
  ],
  [
    "the account was deleted long ago",
    { account: { metadata: { uid: "sa-1", deletionTimestamp: "2020-01-01T00:00:00Z" } } },
    /has been deleted/,
  ],
];
for (const [what, changes, why] of gone) {
  test(`a bound token when ${what}`, async () => {
    const { token } = await issue({ pod });
    await assert.rejects(bound({ ...all, ...changes }).authenticateToken(token, API), why);
  });
}
test("a pod that is being deleted just now still has its token", async () => {
  const { token } = await issue({ pod });
  const deletionTimestamp = new Date().toISOString();
  const dying = { metadata: { ...pod.metadata, deletionTimestamp } };
  assert.ok(await bound({ ...all, pod: dying }).authenticateToken(token, API));
});
test("a node's token goes with the node, a secret's with the secret", async () => {
  const ofNode = await issue({ node });
  assert.ok(await bound().authenticateToken(ofNode.token, API));
  await assert.rejects(bound({ ...all, node: undefined }).authenticateToken(ofNode.token, API));
  const ofSecret = await issue({ secret });
  assert.ok(await bound().authenticateToken(ofSecret.token, API));
  await assert.rejects(bound({ ...all, secret: undefined }).authenticateToken(ofSecret.token, API));
});

// ---- attacks ----------------------------------------------------------------------------------

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claimsNow = (changes: Record<string, unknown> = {}) => {
  const seconds = Math.floor(Date.now() / 1000);
  return {
    aud: API,
    exp: seconds + 600,
    iat: seconds,
    iss: ISSUER,
    nbf: seconds,
    sub: "system:serviceaccount:ns:sa",
    "kubernetes.io": { namespace: "ns", serviceaccount: { name: "sa", uid: "sa-1" } },
    ...changes,
  };
};
const kid = keys[0]?.keyId;
function forge(header: object, claims: object, signer: (text: string) => Uint8Array): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${Buffer.from(signer(text)).toString("base64url")}`;
}
const rs256 = (key: KeyObject) => (text: string) => sign("sha256", Buffer.from(text), key);
const hmacWith = (secretText: string) => (text: string) =>
  createHmac("sha256", secretText).update(text).digest();
const good = (claims: object) => forge({ alg: "RS256", kid }, claims, rs256(rsaKey));

const refused: readonly (readonly [string, string])[] = [
  ["alg none, no signature", `${encode({ alg: "none" })}.${encode(claimsNow())}.`],
  ["alg none, some signature", forge({ alg: "none", kid }, claimsNow(), () => Buffer.from("x"))],
  ["alg nOnE", forge({ alg: "nOnE", kid }, claimsNow(), rs256(rsaKey))],
  [
    "HMAC with the public key",
    forge({ alg: "HS256", kid }, claimsNow(), hmacWith(publicPem(rsaKey))),
  ],
  ["HMAC labelled RS256", forge({ alg: "RS256", kid }, claimsNow(), hmacWith(publicPem(rsaKey)))],
  ["RS256 signature labelled ES256", forge({ alg: "ES256", kid }, claimsNow(), rs256(rsaKey))],
  [
    "RS384",
    forge({ alg: "RS384", kid }, claimsNow(), (t) => sign("sha384", Buffer.from(t), rsaKey)),
  ],
  ["another key", forge({ alg: "RS256", kid }, claimsNow(), rs256(strangerKey))],
  ["another key, no kid", forge({ alg: "RS256" }, claimsNow(), rs256(strangerKey))],
  ["an unknown kid", forge({ alg: "RS256", kid: "x" }, claimsNow(), rs256(rsaKey))],
  [
    "an embedded key",
    forge({ alg: "RS256", jwk: jsonWebKey(keys[0] as never) }, claimsNow(), rs256(strangerKey)),
  ],
  [
    "a key URL",
    forge(
      { alg: "RS256", jku: "https://evil.example/jwks", kid: "e" },
      claimsNow(),
      rs256(strangerKey),
    ),
  ],
  ["crit", forge({ alg: "RS256", kid, crit: ["x"] }, claimsNow(), rs256(rsaKey))],
  ["b64 false", forge({ alg: "RS256", kid, b64: false }, claimsNow(), rs256(rsaKey))],
  ["another issuer", good(claimsNow({ iss: "https://evil.example" }))],
  ["no issuer", good(claimsNow({ iss: undefined }))],
  ["the issuer in a list", good(claimsNow({ iss: [ISSUER] }))],
  ["another audience", good(claimsNow({ aud: ["vault"] }))],
  ["an audience that is no text", good(claimsNow({ aud: [1] }))],
  ["expired", good(claimsNow({ exp: 1_600_000_000 }))],
  ["expiry as text", good(claimsNow({ exp: "9999999999" }))],
  ["not yet valid", good(claimsNow({ nbf: 9_999_999_999 }))],
  ["issued in the future", good(claimsNow({ iat: 9_999_999_999 }))],
  [
    "another subject than its claims",
    good(claimsNow({ sub: "system:serviceaccount:kube-system:admin" })),
  ],
  ["a subject that is no service account", good(claimsNow({ sub: "admin" }))],
  ["without private claims", good(claimsNow({ "kubernetes.io": undefined }))],
  [
    "another account's uid",
    good(
      claimsNow({ "kubernetes.io": { namespace: "ns", serviceaccount: { name: "sa", uid: "x" } } }),
    ),
  ],
  ["four parts", `${good(claimsNow())}.x`],
  ["two parts", good(claimsNow()).split(".").slice(0, 2).join(".")],
  ["JSON serialization", JSON.stringify({ payload: encode(claimsNow()) })],
  ["padding", good(claimsNow()).replace(/$/, "=")],
  ["standard base64", good(claimsNow()).replace(/-/g, "+").replace(/_/g, "/")],
  [
    "a changed payload",
    good(claimsNow()).replace(/\.[^.]+\./, `.${encode(claimsNow({ sub: "x" }))}.`),
  ],
  ["a cut signature", good(claimsNow()).slice(0, -4)],
  ["the empty text", ""],
  ["dots", ".."],
];
for (const [what, token] of refused) {
  test(`refused: ${what}`, async () => {
    const found = await bound()
      .authenticateToken(token, API)
      .catch(() => undefined);
    assert.equal(found, undefined);
  });
}

test("the forging helper itself makes good tokens", async () => {
  assert.ok(await bound().authenticateToken(good(claimsNow()), API));
  assert.ok(
    await bound().authenticateToken(forge({ alg: "RS256" }, claimsNow(), rs256(rsaKey)), API),
  );
});

test("clocks may differ by a minute", async () => {
  const seconds = Math.floor(Date.now() / 1000);
  assert.ok(await bound().authenticateToken(good(claimsNow({ exp: seconds - 50 })), API));
  assert.ok(await bound().authenticateToken(good(claimsNow({ nbf: seconds + 50 })), API));
  await assert.rejects(
    bound().authenticateToken(good(claimsNow({ exp: seconds - 70 })), API),
    /expired/,
  );
});

test("a token runs out", async () => {
  const { token } = await issue();
  now = Date.now() + 700_000;
  try {
    await assert.rejects(
      bound().authenticateToken(token, API),
      /service account token has expired/,
    );
  } finally {
    now = Date.now();
  }
});

// ---- legacy -----------------------------------------------------------------------------------

const legacyClaims = (changes: object = {}) => ({
  iss: "kubernetes/serviceaccount",
  "kubernetes.io/serviceaccount/namespace": "ns",
  "kubernetes.io/serviceaccount/secret.name": "s",
  "kubernetes.io/serviceaccount/service-account.name": "sa",
  "kubernetes.io/serviceaccount/service-account.uid": "sa-1",
  sub: "system:serviceaccount:ns:sa",
  ...changes,
});
const legacyToken = good(legacyClaims());
const holding = (token: string, labels = {}) => ({
  ...all,
  secret: {
    metadata: { name: "s", labels },
    data: { token: Buffer.from(token).toString("base64") },
  },
});
test("a legacy token is good while its secret holds it", async () => {
  const legacy = (live: Record<string, unknown>) => legacyTokenAuthenticator(optionsOf(live));
  assert.equal(
    (await legacy(holding(legacyToken)).authenticateToken(legacyToken, API))?.user.name,
    "system:serviceaccount:ns:sa",
  );
  const bad: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ ...all, secret: undefined }, /invalidated/],
    [holding("other"), /does not match server's copy/],
    [
      holding(legacyToken, { "kubernetes.io/legacy-token-invalid-since": "2026-01-01" }),
      /marked invalid/,
    ],
    [{ ...holding(legacyToken), account: undefined }, /not found/],
  ];
  for (const [live, why] of bad)
    await assert.rejects(legacy(live).authenticateToken(legacyToken, API), why);
  const swapped = good(legacyClaims({ sub: "system:serviceaccount:ns:admin" }));
  await assert.rejects(
    legacy(holding(swapped)).authenticateToken(swapped, API),
    /sub claim is invalid/,
  );
  assert.equal(
    await bound().authenticateToken(legacyToken, API),
    undefined,
    "bound tokens have another issuer",
  );
});

// ---- keys and names ---------------------------------------------------------------------------

test("key files", () => {
  const rsaPem = pemOf(rsaKey);
  assert.equal(
    parseVerificationKeys(rsaPem)[0]?.keyId,
    parseVerificationKeys(publicPem(rsaKey))[0]?.keyId,
  );
  assert.equal(parseVerificationKeys(publicPem(rsaKey) + publicPem(ecKey)).length, 2);
  assert.deepEqual(
    ["P-384", "P-521"].map((curve) => parseSigningKey(pemOf(ec(curve))).algorithm),
    ["ES384", "ES512"],
  );
  assert.throws(() => parseVerificationKeys("nothing"), KeyError);
  assert.throws(() => parseSigningKey(publicPem(rsaKey)), KeyError);
  assert.throws(() => parseSigningKey(pemOf(generateKeyPairSync("ed25519").privateKey)), KeyError);
  assert.throws(() => parseSigningKey(pemOf(ec("secp256k1"))), KeyError);
});

test("every algorithm's signatures verify, and no other key's", async () => {
  for (const curve of ["P-256", "P-384", "P-521"]) {
    const key = ec(curve);
    const { token } = await issue({}, undefined, key);
    const parsed = parseToken(token);
    assert.ok(parsed);
    const [own] = parseVerificationKeys(publicPem(key));
    const [other] = parseVerificationKeys(publicPem(ec(curve)));
    assert.ok(own && other);
    assert.equal(verifySignature(parsed, own), true);
    assert.equal(verifySignature(parsed, other), false);
  }
});

const names: readonly (readonly [string, { namespace: string; name: string } | undefined])[] = [
  ["system:serviceaccount:a:b", { namespace: "a", name: "b" }],
  ["system:serviceaccount:a:b.c", { namespace: "a", name: "b.c" }],
  ["system:serviceaccount:a", undefined],
  ["system:serviceaccount:a:", undefined],
  ["system:serviceaccount::b", undefined],
  ["system:serviceaccount:a:b:c", undefined],
  ["system:serviceaccount:A:b", undefined],
  ["system:serviceaccount:a:b/c", undefined],
  ["alice", undefined],
];
for (const [text, want] of names) {
  test(`service account name ${text}`, () => assert.deepEqual(splitServiceAccountName(text), want));
}
