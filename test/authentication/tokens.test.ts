import assert from "node:assert/strict";
import { test } from "node:test";
import type { TokenAuthenticator } from "../../src/authentication/authenticator.ts";
import {
  bearerTokenAuthenticator,
  webSocketTokenAuthenticator,
} from "../../src/authentication/bearer-token.ts";
import { bootstrapTokenAuthenticator } from "../../src/authentication/token/bootstrap-token.ts";
import { parseCsv } from "../../src/authentication/token/csv.ts";
import { loopbackAuthenticator } from "../../src/authentication/token/loopback.ts";
import { cachedTokenAuthenticator } from "../../src/authentication/token/token-cache.ts";
import {
  TokenFileError,
  tokenFileAuthenticator,
} from "../../src/authentication/token/token-file.ts";
import { audienceAgnostic, unionOfTokens } from "../../src/authentication/token/token-union.ts";
import { createAuthenticate, unionOf } from "../../src/authentication/union.ts";
import { type Headers, requestWith } from "./requests.ts";

const file = 'good,alice,1,"a,b"\nplain,bob,2\nspaced , carol,3,c\n"quo""ted",dora,4\n';
const { authenticator: tokens } = tokenFileAuthenticator(file);
const anonymous = (paths?: Set<string>) => () => ({
  enabled: true,
  ...(paths === undefined ? {} : { paths }),
});
const authenticate = createAuthenticate(
  unionOf([
    bearerTokenAuthenticator(tokens, ["api"]),
    webSocketTokenAuthenticator(tokens, ["api"]),
  ]),
  anonymous(),
  () => {},
);
const encoded = (token: string) =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
const socket = (protocols: string): Headers => [
  ["Connection", "keep-alive, Upgrade"],
  ["Upgrade", "websocket"],
  ["Sec-WebSocket-Protocol", protocols],
];

const rows: readonly (readonly [Headers, string | undefined])[] = [
  [[["Authorization", "Bearer good"]], "alice"],
  [[["Authorization", "bearer good"]], "alice"],
  [[["Authorization", "  Bearer good  "]], "alice"],
  [[["Authorization", "Bearer plain"]], "bob"],
  [[["Authorization", 'Bearer quo"ted']], "dora"],
  [[["Authorization", "Bearer bad"]], undefined],
  [[["Authorization", "Bearer  good"]], "system:anonymous"], // the token is empty: upstream's split
  [[["Authorization", "Bearer"]], "system:anonymous"],
  [[["Authorization", "Basic YTpi"]], "system:anonymous"],
  [
    [
      ["Authorization", "Bearer bad"],
      ["Authorization", "Bearer good"],
    ],
    undefined,
  ],
  [
    [
      ["Authorization", "Bearer good"],
      ["Authorization", "Bearer bad"],
    ],
    "alice",
  ],
  [[["Authorization", "Bearer alice"]], undefined],
  [[["Authorization", `Bearer ${"x".repeat(70_000)}`]], undefined],
  [[], "system:anonymous"],
  [socket(`${encoded("good")}, v5.channel.k8s.io`), "alice"],
  [socket(`v5.channel.k8s.io, ${encoded("bad")}`), undefined],
  [socket(encoded("good")), undefined], // no other protocol to answer with
  [socket(`${encoded("good")}, ${encoded("good")}, v5.channel.k8s.io`), undefined],
  [socket("base64url.bearer.authorization.k8s.io.!!, v5"), undefined],
  [socket("v5.channel.k8s.io"), "system:anonymous"],
  [[["Sec-WebSocket-Protocol", `${encoded("good")}, v5`]], "system:anonymous"], // no WebSocket
];
for (const [headers, name] of rows) {
  const text = JSON.stringify(headers);
  test(`${text.slice(0, 100)} is ${name ?? "401"}`, async () => {
    assert.equal((await authenticate(requestWith(headers)))?.user.name, name);
  });
}

test("anonymous requests may be limited to paths", async () => {
  const limited = createAuthenticate(unionOf([]), anonymous(new Set(["/livez"])), () => {});
  const get = (target: string) => limited(requestWith([], { target }));
  assert.equal((await get("/livez"))?.user.name, "system:anonymous");
  assert.equal(await get("/livez/ping"), undefined);
  assert.equal(await get("/livez/"), undefined);
  assert.equal(await get("/api/v1/pods"), undefined);
});

test("token files", () => {
  assert.throws(() => tokenFileAuthenticator("a,b\n"), TokenFileError);
  assert.throws(() => tokenFileAuthenticator('a,"b\n'), TokenFileError);
  const { warnings } = tokenFileAuthenticator(",empty,1\nx,a,1\nx,b,2\n\n");
  assert.equal(warnings.length, 2);
});

const csv: readonly (readonly [string, string[][] | undefined])[] = [
  ["", []],
  ["a,b", [["a", "b"]]],
  [
    "a,b\r\nc,d\n",
    [
      ["a", "b"],
      ["c", "d"],
    ],
  ],
  ['"a,b",c', [["a,b", "c"]]],
  ['"a""b",c', [['a"b', "c"]]],
  ['"line\nend",c', [["line\nend", "c"]]],
  ["a,\nb", [["a", ""], ["b"]]],
  ["a,", [["a", ""]]],
  ['a"b,c', undefined],
  ['"a"b,c', undefined],
  ['"a', undefined],
];
for (const [text, want] of csv) {
  test(`CSV ${JSON.stringify(text)}`, () => assert.deepEqual(parseCsv(text), want));
}

test("the loopback token", async () => {
  const loopback = loopbackAuthenticator("secret");
  assert.deepEqual((await loopback.authenticateToken("secret", undefined))?.user.groups, [
    "system:masters",
  ]);
  for (const wrong of ["", "secre", "secret2", "SECRET"]) {
    assert.equal(await loopback.authenticateToken(wrong, undefined), undefined);
  }
});

test("tokens without audience are good for this server only", async () => {
  const agnostic = audienceAgnostic(tokens, ["api"]);
  assert.deepEqual((await agnostic.authenticateToken("good", ["api", "x"]))?.audiences, ["api"]);
  assert.equal(await agnostic.authenticateToken("good", ["vault"]), undefined);
});

function counting(answer: (token: string) => string | undefined | Error) {
  const asked: string[] = [];
  const inner: TokenAuthenticator = {
    name: "counting",
    async authenticateToken(token) {
      asked.push(token);
      const name = answer(token);
      if (name instanceof Error) throw name;
      return name === undefined ? undefined : { user: { name, uid: "", groups: [], extra: {} } };
    },
  };
  return { inner, asked };
}

test("the cache keeps successes for a while and nothing else", async () => {
  let now = 0;
  const { inner, asked } = counting((token) => {
    if (token === "error") return new Error("broken");
    return token === "good" ? "alice" : undefined;
  });
  const cached = cachedTokenAuthenticator(inner, { successTtlMs: 10_000, now: () => now });
  const ask = (token: string, audiences?: string[]) => cached.authenticateToken(token, audiences);
  await Promise.all([ask("good"), ask("good"), ask("good")]);
  assert.equal(asked.length, 1);
  await ask("good", ["other"]);
  assert.equal(asked.length, 2, "another audience is another question");
  now = 9_999;
  await ask("good");
  assert.equal(asked.length, 2);
  now = 10_001;
  await ask("good");
  assert.equal(asked.length, 3);
  await ask("bad");
  await ask("bad");
  assert.equal(asked.length, 5);
  await assert.rejects(ask("error"));
  await assert.rejects(ask("error"));
  assert.equal(asked.length, 7);
});

test("the cache is bounded", async () => {
  const { inner, asked } = counting(() => "alice");
  const cached = cachedTokenAuthenticator(inner, { successTtlMs: 10_000, entriesMax: 10 });
  for (let i = 0; i < 100; i++) await cached.authenticateToken(`t${i}`, undefined);
  await cached.authenticateToken("t99", undefined);
  assert.equal(asked.length, 100);
  await cached.authenticateToken("t0", undefined);
  assert.equal(asked.length, 101);
});

test("the union takes the first success, and errors only without one", async () => {
  const failing = counting(() => new Error("broken")).inner;
  const knows = counting((token) => (token === "good" ? "alice" : undefined)).inner;
  const union = unionOfTokens([failing, knows]);
  assert.equal((await union.authenticateToken("good", undefined))?.user.name, "alice");
  await assert.rejects(union.authenticateToken("bad", undefined), /broken/);
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
function bootstrapSecret(
  changes: Record<string, string | undefined> = {},
  type = "bootstrap.kubernetes.io/token",
) {
  const data: Record<string, string> = {
    "token-id": base64("abcdef"),
    "token-secret": base64("0123456789abcdef"),
    "usage-bootstrap-authentication": base64("true"),
    "auth-extra-groups": base64("system:bootstrappers:kubeadm"),
  };
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) delete data[key];
    else data[key] = base64(value);
  }
  return { type, data };
}
const bootstrapRows: readonly (readonly [string, object | undefined, string, boolean])[] = [
  ["good", bootstrapSecret(), "abcdef.0123456789abcdef", true],
  ["no secret", undefined, "abcdef.0123456789abcdef", false],
  ["another type", bootstrapSecret({}, "Opaque"), "abcdef.0123456789abcdef", false],
  ["wrong secret part", bootstrapSecret(), "abcdef.0123456789abcdeX".toLowerCase(), false],
  ["malformed", bootstrapSecret(), "ABCDEF.0123456789abcdef", false],
  [
    "not for authentication",
    bootstrapSecret({ "usage-bootstrap-authentication": undefined }),
    "abcdef.0123456789abcdef",
    false,
  ],
  [
    "expired",
    bootstrapSecret({ expiration: "2020-01-01T00:00:00Z" }),
    "abcdef.0123456789abcdef",
    false,
  ],
  [
    "not expired",
    bootstrapSecret({ expiration: "2999-01-01T00:00:00Z" }),
    "abcdef.0123456789abcdef",
    true,
  ],
  ["bad expiration", bootstrapSecret({ expiration: "soon" }), "abcdef.0123456789abcdef", false],
  [
    "a group it may not give",
    bootstrapSecret({ "auth-extra-groups": "system:masters" }),
    "abcdef.0123456789abcdef",
    false,
  ],
  [
    "another id in the secret",
    bootstrapSecret({ "token-id": "fedcba" }),
    "abcdef.0123456789abcdef",
    false,
  ],
];
for (const [what, secret, token, good] of bootstrapRows) {
  test(`bootstrap token: ${what}`, async () => {
    const listers = {
      get: async () => secret,
      list: async () => [],
      getFresh: async () => secret,
      onChange: () => {},
    };
    const bootstrap = bootstrapTokenAuthenticator(listers as never, Date.now);
    const found = await bootstrap.authenticateToken(token, undefined);
    if (!good) assert.equal(found, undefined);
    else {
      assert.equal(found?.user.name, "system:bootstrap:abcdef");
      assert.deepEqual(found?.user.groups, [
        "system:bootstrappers",
        "system:bootstrappers:kubeadm",
      ]);
    }
  });
}
