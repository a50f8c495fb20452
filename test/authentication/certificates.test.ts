import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { requestHeaderAuthenticator } from "../../src/authentication/request-header.ts";
import { createAuthenticate, unionOf } from "../../src/authentication/union.ts";
import { CertificatePool } from "../../src/authentication/x509/certificate-pool.ts";
import { verifiedCertificateOf } from "../../src/authentication/x509/connection-certificates.ts";
import { x509Authenticator } from "../../src/authentication/x509/x509.ts";
import {
  authority,
  CLIENT,
  CN,
  certificate,
  client,
  type Made,
  O,
  SERVER,
  UID,
} from "./certificates.ts";
import { type Headers, requestWith } from "./requests.ts";

const clientCa = authority("kubernetes");
const proxyCa = authority("front-proxy-ca");
const twin = authority("kubernetes"); // the same name, another key
const DAY_MS = 86_400_000;

let now = Date.now();
const x509 = x509Authenticator({
  pool: () => clientPool,
  readsUid: true,
  now: () => now,
});
let clientPool = new CertificatePool(clientCa.pem);
const proxy = requestHeaderAuthenticator({
  pool: () => new CertificatePool(proxyCa.pem),
  allowedNames: ["front-proxy-client"],
  usernameHeaders: ["X-Remote-User"],
  uidHeaders: ["X-Remote-Uid"],
  groupHeaders: ["X-Remote-Group"],
  extraHeaderPrefixes: ["X-Remote-Extra-"],
  now: Date.now,
});
const authenticate = createAuthenticate(
  unionOf([proxy, x509]),
  () => ({ enabled: true }),
  () => {},
);
const whoIs = async (made: Made | undefined, headers: Headers = []) => {
  const options = made === undefined ? {} : { certificate: made.pem };
  return (await authenticate(requestWith(headers, options)))?.user;
};
const fingerprint = (made: Made) =>
  createHash("sha256")
    .update(Buffer.from(made.pem.replace(/-----[^-]+-----/g, ""), "base64"))
    .digest("hex");

test("the common name is the user, organizations are groups", async () => {
  const made = client(clientCa, "alice", "devs", "ops");
  assert.deepEqual(await whoIs(made), {
    name: "alice",
    uid: "",
    groups: ["devs", "ops", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint(made)}`] },
  });
});

test("no certificate is anonymous", async () => {
  assert.equal((await whoIs(undefined))?.name, "system:anonymous");
});

const odd: readonly (readonly [
  string,
  () => Made,
  { name: string; groups: string[] } | undefined,
])[] = [
  [
    "a comma and line ends in a value are one value",
    () => client(clientCa, "mallory,O=system:masters\nO=system:masters", "a\nO=system:masters"),
    {
      name: "mallory,O=system:masters\nO=system:masters",
      groups: ["a\nO=system:masters", "system:authenticated"],
    },
  ],
  [
    "the last of several common names counts",
    () =>
      certificate(
        {
          subject: [
            [CN, "first"],
            [CN, "last"],
          ],
          usages: [CLIENT],
        },
        clientCa,
      ),
    { name: "last", groups: ["system:authenticated"] },
  ],
  [
    "printable and T61 strings",
    () => certificate({ subject: [[CN, "bob"]], usages: [CLIENT], stringTag: 0x14 }, clientCa),
    { name: "bob", groups: ["system:authenticated"] },
  ],
  [
    "without any key usage it is good for clients too",
    () => certificate({ subject: [[CN, "free"]] }, clientCa),
    { name: "free", groups: ["system:authenticated"] },
  ],
  [
    "for servers only",
    () => certificate({ subject: [[CN, "s"]], usages: [SERVER] }, clientCa),
    undefined,
  ],
  [
    "of another authority with the same name",
    () => client(twin, "admin", "system:masters"),
    undefined,
  ],
  ["of an authority nobody knows", () => client(authority("x"), "admin"), undefined],
  ["signed by itself", () => certificate({ subject: [[CN, "self"]], usages: [CLIENT] }), undefined],
  [
    "expired",
    () =>
      certificate(
        { subject: [[CN, "old"]], usages: [CLIENT], until: new Date(Date.now() - DAY_MS / 2) },
        clientCa,
      ),
    undefined,
  ],
  [
    "not valid yet",
    () =>
      certificate(
        { subject: [[CN, "new"]], usages: [CLIENT], from: new Date(Date.now() + DAY_MS / 2) },
        clientCa,
      ),
    undefined,
  ],
  [
    "issued by a client's certificate",
    () => client(client(clientCa, "alice"), "admin", "system:masters"),
    undefined,
  ],
  [
    "with a critical extension nobody understands",
    () =>
      certificate(
        { subject: [[CN, "c"]], usages: [CLIENT], criticalExtension: "1.2.3.4.5" },
        clientCa,
      ),
    undefined,
  ],
  [
    "of the proxies' authority, as a client",
    () => client(proxyCa, "front-proxy-client"),
    undefined,
  ],
  [
    "two UIDs",
    () =>
      certificate(
        {
          subject: [
            [CN, "u"],
            [UID, "1"],
            [UID, "2"],
          ],
          usages: [CLIENT],
        },
        clientCa,
      ),
    undefined,
  ],
];
for (const [what, make, want] of odd) {
  test(`a client certificate: ${what}`, async () => {
    const user = await whoIs(make());
    if (want === undefined) assert.equal(user, undefined);
    else assert.deepEqual({ name: user?.name, groups: user?.groups }, want);
  });
}

test("a certificate may name the user's UID", async () => {
  const made = certificate(
    {
      subject: [
        [CN, "u"],
        [UID, "u-1"],
      ],
      usages: [CLIENT],
    },
    clientCa,
  );
  assert.equal((await whoIs(made))?.uid, "u-1");
});

test("a certificate without a common name is nobody", async () => {
  const made = certificate({ subject: [[O, "system:masters"]], usages: [CLIENT] }, clientCa);
  // Not anonymous either: to the proxies' authenticator it is a bad certificate.
  assert.equal(await whoIs(made), undefined);
});

test("a connection's certificate expires while it stays open", async () => {
  const made = client(clientCa, "alice");
  const request = requestWith([], { certificate: made.pem });
  assert.equal((await authenticate(request))?.user.name, "alice");
  now = Date.now() + 2 * DAY_MS;
  try {
    assert.equal(await authenticate(request), undefined);
  } finally {
    now = Date.now();
  }
});

test("connections with one certificate share what was found out about it", () => {
  const { pem } = client(clientCa, "many");
  const seen: number[] = [];
  const pool = { verifyClient: (_: unknown, at: number) => void seen.push(at) };
  const connect = () => ({ remoteAddress: "", certificate: pem, identity: undefined });
  const first = verifiedCertificateOf(connect(), pool, now);
  assert.equal(verifiedCertificateOf(connect(), pool, now), first);
  assert.equal(seen.length, 1);
  verifiedCertificateOf(connect(), { ...pool }, now); // other authorities decide for themselves
  assert.equal(seen.length, 2);
});

const subordinate = (issuer: Made, name: string, more = {}) =>
  certificate({ subject: [[CN, name]], authority: true, ...more }, issuer);
const chains: readonly (readonly [string, () => readonly Made[], boolean])[] = [
  [
    "two intermediates, in any order",
    () => {
      const one = subordinate(clientCa, "one");
      const two = subordinate(one, "two");
      return [client(two, "deep"), one, two];
    },
    true,
  ],
  [
    "an intermediate nobody issued",
    () => {
      const one = subordinate(authority("x"), "one");
      return [client(one, "deep"), one];
    },
    false,
  ],
  [
    "an intermediate and its own unknown authority",
    () => {
      const root = authority("x");
      const one = subordinate(root, "one");
      return [client(one, "deep"), one, root];
    },
    false,
  ],
  [
    "one that is no authority",
    () => {
      const alice = client(clientCa, "alice");
      return [client(alice, "deep"), alice];
    },
    false,
  ],
  [
    "one that is for servers only",
    () => {
      const one = subordinate(clientCa, "one", { usages: [SERVER] });
      return [client(one, "deep"), one];
    },
    false,
  ],
  [
    "one that has expired",
    () => {
      const one = subordinate(clientCa, "one", { until: new Date(Date.now() - 1_000) });
      return [client(one, "deep"), one];
    },
    false,
  ],
  [
    "more of them than one allows",
    () => {
      const one = subordinate(clientCa, "one", { pathLength: 0 });
      const two = subordinate(one, "two");
      return [client(two, "deep"), one, two];
    },
    false,
  ],
  [
    "as many as one allows",
    () => {
      const one = subordinate(clientCa, "one", { pathLength: 0 });
      return [client(one, "deep"), one];
    },
    true,
  ],
  [
    "one signed with SHA-1",
    () => {
      const one = subordinate(clientCa, "one", { weak: true });
      return [client(one, "deep"), one];
    },
    false,
  ],
  [
    "many that fit by name",
    () => {
      const one = subordinate(clientCa, "same");
      const others = Array.from({ length: 7 }, () => subordinate(authority("same"), "same"));
      return [client(one, "deep"), ...others];
    },
    false,
  ],
];
for (const [what, make, accepted] of chains) {
  test(`a client sends along: ${what}`, async () => {
    const made = make();
    const pem = made.map((one) => one.pem).join("");
    const user = (await authenticate(requestWith([], { certificate: pem })))?.user;
    assert.equal(user?.name, accepted ? "deep" : undefined);
    const alone = await authenticate(requestWith([], { certificate: made[0]?.pem ?? "" }));
    assert.equal(alone?.user, undefined);
  });
}

test("what is sent along makes no proxy of an ordinary client", async () => {
  const one = subordinate(clientCa, "front-proxy-ca");
  const pem = client(one, "front-proxy-client").pem + one.pem + proxyCa.pem;
  const request = requestWith([["X-Remote-User", "admin"]], { certificate: pem });
  assert.equal((await authenticate(request))?.user.name, "front-proxy-client");
});

test("a certificate that is not valid yet is asked again once it is", async () => {
  const made = client(clientCa, "early");
  const before = now;
  now -= 400 * DAY_MS;
  assert.equal(await whoIs(made), undefined);
  now = before;
  assert.equal((await whoIs(made))?.name, "early");
});

test("an authority that is taken away takes its clients along", async () => {
  const request = requestWith([], { certificate: client(clientCa, "alice").pem });
  assert.equal((await authenticate(request))?.user.name, "alice");
  clientPool = new CertificatePool(authority("next").pem);
  try {
    assert.equal(await authenticate(request), undefined);
  } finally {
    clientPool = new CertificatePool(clientCa.pem);
  }
});

const remote: Headers = [
  ["X-Remote-User", "carol"],
  ["X-Remote-Uid", "c-1"],
  ["X-Remote-Group", "g1"],
  ["X-Remote-Group", "g2"],
  ["X-Remote-Extra-Acme.io%2Fproject", "p"],
  ["X-Remote-Extra-__proto__", "p"],
];

test("a front proxy names the user", async () => {
  const user = await whoIs(client(proxyCa, "front-proxy-client"), remote);
  assert.equal(user?.name, "carol");
  assert.equal(user?.uid, "c-1");
  assert.deepEqual(user?.groups, ["g1", "g2", "system:authenticated"]);
  assert.deepEqual(Object.keys(user?.extra ?? {}).sort(), ["__proto__", "acme.io/project"]);
});

const spoofs: readonly (readonly [string, () => Made | undefined, string | undefined])[] = [
  ["without a certificate", () => undefined, "system:anonymous"],
  ["with an ordinary client's certificate", () => client(clientCa, "mallory"), "mallory"],
  [
    "with a client's certificate named as the proxy",
    () => client(clientCa, "front-proxy-client"),
    "front-proxy-client",
  ],
  ["with another name under the proxies' authority", () => client(proxyCa, "other"), undefined],
  [
    "with a certificate nobody issued",
    () => client(authority("front-proxy-ca"), "front-proxy-client"),
    undefined,
  ],
];
for (const [how, make, name] of spoofs) {
  test(`X-Remote-User ${how} means nothing`, async () => {
    const user = await whoIs(make(), [
      ["X-Remote-User", "admin"],
      ["X-Remote-Group", "system:masters"],
    ]);
    assert.equal(user?.name, name);
    assert.ok(!user?.groups.includes("system:masters"));
  });
}

test("the first of several user headers counts", async () => {
  const headers: Headers = [
    ["X-Remote-User", "first"],
    ["X-Remote-User", "second"],
  ];
  assert.equal((await whoIs(client(proxyCa, "front-proxy-client"), headers))?.name, "first");
});
