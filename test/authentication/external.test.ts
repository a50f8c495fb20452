// Identities that come from elsewhere: OpenID issuers and the token webhook.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import {
  AuthenticationConfigError,
  parseAuthenticationConfig,
} from "../../src/authentication/oidc/authentication-config.ts";
import { NO_EXPRESSIONS } from "../../src/authentication/oidc/claim-expressions.ts";
import {
  type JwtIssuer,
  jwtAuthenticator,
} from "../../src/authentication/oidc/jwt-authenticator.ts";
import { webhookTokenAuthenticator } from "../../src/authentication/token/webhook-token.ts";
import { retriesFrom, WebhookClient } from "../../src/request/outgoing/webhook-client.ts";

const URL_ = "https://issuer.example";
const issuer: JwtIssuer = {
  url: URL_,
  discoveryUrl: undefined,
  authorities: undefined,
  audiences: ["kubernetes"],
  algorithms: ["RS256"],
  username: { claim: "sub", prefix: `${URL_}#` },
  groups: { claim: "groups", prefix: "oidc:" },
  uidClaim: undefined,
  requiredClaims: { hd: "example.com" },
  expressions: NO_EXPRESSIONS,
};
const pair = await generateKeyPair("RS256");
const stranger = await generateKeyPair("RS256");
const jwk = { ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "RS256" };
const asked: string[] = [];
const fetchDocument = async (url: string) => {
  asked.push(url);
  if (url.endsWith("/.well-known/openid-configuration"))
    return { issuer: URL_, jwks_uri: `${URL_}/keys` };
  return { keys: [jwk] };
};
const tokenOf = (claims: Record<string, unknown> = {}, key = pair.privateKey, kid = "k1") =>
  new SignJWT({ sub: "jane", groups: ["a", "b"], hd: "example.com", ...claims })
    .setProtectedHeader({ alg: "RS256", kid })
    .setIssuer((claims["iss"] as string) ?? URL_)
    .setAudience((claims["aud"] as string) ?? "kubernetes")
    .setExpirationTime((claims["exp"] as number) ?? "5m")
    .sign(key);

test("an ID token names user and groups with their prefixes", async () => {
  const oidc = jwtAuthenticator(issuer, fetchDocument);
  const found = await oidc.authenticateToken(await tokenOf({ jti: "j1" }), undefined);
  assert.equal(found?.user.name, `${URL_}#jane`);
  assert.deepEqual(found?.user.groups, ["oidc:a", "oidc:b"]);
  assert.deepEqual(asked, [`${URL_}/.well-known/openid-configuration`, `${URL_}/keys`]);
});

const bad: readonly (readonly [string, () => Promise<string>, RegExp | undefined])[] = [
  [
    "another issuer's token is not looked at",
    () => tokenOf({ iss: "https://x.example" }),
    undefined,
  ],
  ["wrong audience", () => tokenOf({ aud: "other" }), /verify token/],
  ["expired", () => tokenOf({ exp: 1_600_000_000 }), /verify token/],
  ["another key under the same id", () => tokenOf({}, stranger.privateKey), /verify token/],
  ["an unknown key id", () => tokenOf({}, stranger.privateKey, "k2"), /verify token/],
  [
    "a required claim is missing",
    () => tokenOf({ hd: undefined }),
    /required claim hd not present/,
  ],
  ["a required claim differs", () => tokenOf({ hd: "evil.example" }), /does not match/],
  ["groups that are no text", () => tokenOf({ groups: [1] }), /expected strings/],
  ["an empty name", () => tokenOf({ sub: "" }), /username is empty/],
];
for (const [what, make, why] of bad) {
  test(`OIDC: ${what}`, async () => {
    const oidc = jwtAuthenticator(issuer, fetchDocument);
    const answer = oidc.authenticateToken(await make(), undefined);
    if (why === undefined) assert.equal(await answer, undefined);
    else await assert.rejects(answer, why);
  });
}

test("an e-mail address must be verified", async () => {
  const oidc = jwtAuthenticator(
    { ...issuer, username: { claim: "email", prefix: "" } },
    fetchDocument,
  );
  const ask = async (claims: object) =>
    oidc.authenticateToken(await tokenOf({ email: "j@x.io", ...claims }), undefined);
  assert.equal((await ask({ email_verified: true }))?.user.name, "j@x.io");
  assert.equal((await ask({}))?.user.name, "j@x.io");
  for (const value of [false, "true", 1])
    await assert.rejects(ask({ email_verified: value }), /not verified/);
});

test("unknown key ids do not make the issuer busy", async () => {
  const oidc = jwtAuthenticator(issuer, fetchDocument);
  asked.length = 0;
  for (let i = 0; i < 20; i++) {
    await assert.rejects(
      oidc.authenticateToken(await tokenOf({}, stranger.privateKey, `x${i}`), undefined),
    );
  }
  assert.equal(asked.length, 2);
});

test("an issuer that is somebody else is refused", async () => {
  const oidc = jwtAuthenticator(issuer, async () => ({
    issuer: "https://evil.example",
    jwks_uri: `${URL_}/keys`,
  }));
  await assert.rejects(oidc.authenticateToken(await tokenOf(), undefined), /issuer did not match/);
});

const config = (jwt: string, rest = "") =>
  `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n${jwt}\n${rest}`;
const plain = `jwt:
- issuer: {url: "https://i.example", audiences: [a]}
  claimMappings: {username: {claim: sub, prefix: "x:"}}`;
const USERNAME = 'claim: sub, prefix: "x:"';
test("an authentication configuration", () => {
  const { issuers, anonymous } = parseAuthenticationConfig(
    config(plain, "anonymous: {enabled: true, conditions: [{path: /livez}]}"),
    [],
  );
  assert.equal(issuers[0]?.url, "https://i.example");
  assert.deepEqual([...(anonymous?.paths ?? [])], ["/livez"]);
});
const configErrors: readonly (readonly [string, RegExp])[] = [
  [config(plain).replace("/v1", "/v9"), /apiVersion/],
  [config(plain.replace("https:", "http:")), /must be https/],
  [config(plain.replace(", audiences: [a]", "")), /at least one audience/],
  [config(plain.replace("claim: sub, ", 'expression: "claims.sub", ')), /prefix can't be set/],
  [config(plain.replace('prefix: "x:"', 'expression: "claims.sub"')), /can't both be set/],
  [config(plain.replace(USERNAME, 'expression: "claims.email"')), /email_verified must be used/],
  [config(plain.replace(USERNAME, 'expression: "claims."')), /Syntax error/],
  [
    config(`${plain}\n  userValidationRules: [{expression: "user.none"}]`),
    /undefined field 'none'/,
  ],
  [config(`${plain}\n  userValidationRules: [{expression: "user.uid"}]`), /must evaluate to bool/],
  [config(`${plain}\n  claimValidationRules: [{}]`), /claim or expression is required/],
  [
    config(`${plain}\n  claimValidationRules: [{expression: "true"}, {expression: "true"}]`),
    /Duplicate value/,
  ],
  [config(plain.replace(', prefix: "x:"', "")), /prefix is required/],
  [config(plain.replace("https://i.example", "https://own.example")), /disallowed issuers/],
  [config(`${plain}\n${plain.replace("jwt:\n", "")}`), /Duplicate value/],
  [config(plain, "anonymus: {}"), /unknown field/],
  [config(plain, "anonymous: {enabled: false, conditions: [{path: /x}]}"), /enabled should be set/],
  ["{", /YAML/],
];
for (const [text, why] of configErrors) {
  test(`refused configuration: ${why}`, () => {
    const parse = () => parseAuthenticationConfig(text, ["https://own.example"]);
    assert.throws(
      parse,
      (error) => error instanceof AuthenticationConfigError && why.test(error.message),
    );
  });
}

const expressive = `jwt:
- issuer: {url: "${URL_}", audiences: [kubernetes]}
  claimMappings:
    username: {expression: "claims.email_verified ? 'mail:' + claims.email : claims.sub"}
    groups: {expression: "claims.roles.split(',').map(r, 'role:' + r)"}
    uid: {expression: "claims.sub"}
    extra:
    - {key: example.com/tenant, valueExpression: "claims.tenant"}
    - {key: example.com/none, valueExpression: "has(claims.nothing) ? claims.nothing : ''"}
  claimValidationRules:
  - {expression: "claims.exp > 5 && type(claims.exp) == double", message: too short}
  - {expression: "claims.nested.ok__dot__y == 'z'"}
  userValidationRules:
  - {expression: "!user.username.startsWith('system:')", message: reserved}`;
const good = {
  hd: "example.com",
  email: "a@b.c",
  email_verified: true,
  roles: "x,y",
  tenant: ["t1", "t2"],
  nested: { "ok.y": "z" },
};
const tokenRows: readonly (readonly [
  what: string,
  claims: Record<string, unknown>,
  outcome: RegExp | string,
])[] = [
  ["all is mapped", good, "mail:a@b.c"],
  ["another branch", { ...good, email_verified: false }, "jane"],
  ["a rule that does not hold", { ...good, nested: { "ok.y": "no" } }, /validation expression/],
  ["a claim that is not there", { ...good, roles: undefined }, /no such key: roles/],
  ["a reserved user", { ...good, email_verified: false, sub: "system:admin" }, /reserved/],
];
for (const [what, claims, outcome] of tokenRows) {
  test(`expressions over claims: ${what}`, async () => {
    const { issuers } = parseAuthenticationConfig(config(expressive), []);
    const [parsed] = issuers;
    assert.ok(parsed);
    const oidc = jwtAuthenticator(parsed, fetchDocument);
    const authenticating = oidc.authenticateToken(await tokenOf(claims), undefined);
    if (typeof outcome !== "string") {
      await assert.rejects(authenticating, outcome);
      return;
    }
    const user = (await authenticating)?.user;
    assert.equal(user?.name, outcome);
    assert.deepEqual(user?.groups, ["role:x", "role:y"]);
    assert.deepEqual(user?.extra["example.com/tenant"], ["t1", "t2"]);
    assert.equal(user?.extra["example.com/none"], undefined);
  });
}

// ---- webhook ----------------------------------------------------------------------------------

let answer: { code: number; body: string } = { code: 200, body: "{}" };
const seen: string[] = [];
const server = createServer((request, response) => {
  let text = "";
  request.on("data", (chunk) => (text += chunk));
  request.on("end", () => {
    seen.push(text);
    response.statusCode = answer.code;
    response.end(answer.body);
  });
});
let client: WebhookClient;
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  client = new WebhookClient(
    {
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/authn`,
      authorities: undefined,
      insecure: false,
      serverName: undefined,
      certificate: undefined,
      key: undefined,
      authorization: "Bearer w",
    },
    { timeoutMs: 2_000, retry: { ...retriesFrom(5), tries: 3 } },
  );
});
after(() => {
  client.close();
  server.close();
});
const review = (status: object, code = 200) => {
  answer = { code, body: JSON.stringify({ kind: "TokenReview", status }) };
};
const jane = { authenticated: true, user: { username: "jane", groups: ["g"] } };
const ask = (audiences: string[] | undefined) =>
  webhookTokenAuthenticator(client, "v1", ["api"]).authenticateToken("tok", audiences);

test("a webhook names the user", async () => {
  review(jane);
  assert.deepEqual((await ask(["api"]))?.audiences, ["api"]);
  const sent = JSON.parse(seen.at(-1) ?? "");
  assert.deepEqual(sent.spec, { token: "tok", audiences: ["api"] });
  assert.equal(sent.apiVersion, "authentication.k8s.io/v1");
  assert.equal(await ask(["vault"]), undefined, "an answer without audiences is for this server");
  review({ ...jane, audiences: ["vault"] });
  assert.deepEqual((await ask(["vault"]))?.audiences, ["vault"]);
  assert.equal(await ask(["api"]), undefined);
});
test("a webhook's no, error and nonsense are no identity", async () => {
  review({ authenticated: false });
  assert.equal(await ask(["api"]), undefined);
  review({ authenticated: false, error: "bad token" });
  await assert.rejects(ask(["api"]), /bad token/);
  for (const status of [
    null,
    "yes",
    { authenticated: true, user: { username: 7 } },
    { authenticated: true, user: { groups: "g" } },
  ]) {
    review(status as object);
    await assert.rejects(ask(["api"]));
  }
  answer = { code: 200, body: "no json" };
  await assert.rejects(ask(["api"]), /no JSON/);
  review({ authenticated: "true", user: { username: "jane" } });
  assert.equal(await ask(["api"]), undefined);
});
test("a webhook that fails is asked again, a few times", async () => {
  seen.length = 0;
  review({}, 500);
  await assert.rejects(ask(["api"]), /has prevented the request from succeeding/);
  assert.equal(seen.length, 3);
  seen.length = 0;
  review({}, 403);
  await assert.rejects(ask(["api"]), /403/);
  assert.equal(seen.length, 1);
});

test("where every failure counts, a refusal is tried again too", async () => {
  const { port } = server.address() as AddressInfo;
  const connection = {
    server: `http://127.0.0.1:${port}/audit`,
    authorities: undefined,
    insecure: false,
    serverName: undefined,
    certificate: undefined,
    key: undefined,
    authorization: undefined,
  };
  const retry = { ...retriesFrom(5), tries: 3 };
  const stubborn = new WebhookClient(connection, { timeoutMs: 2_000, retry, retryAll: true });
  seen.length = 0;
  review({}, 403);
  await assert.rejects(stubborn.post("{}"), /403/);
  assert.equal(seen.length, 3);
  stubborn.close();
});
