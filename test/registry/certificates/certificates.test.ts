import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePem } from "../../../src/apis/certificates/pem.ts";
import {
  briefly,
  changed,
  contextOf,
  createErrors,
  decoded,
  registrationOf,
  testCreate,
  updateErrors,
} from "../verdicts.ts";

const csrPem = `-----BEGIN CERTIFICATE REQUEST-----
MIHqMIGRAgEAMC8xFTATBgNVBAoMDHN5c3RlbTpub2RlczEWMBQGA1UEAwwNc3lz
dGVtOm5vZGU6bjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDRdwApN5CHqFAhy
haz7s7JkK8Ys4/9fcBRvvd+lKhnXiAmnud2tjAMUR3Nutt5FWpY9YOyRNO6RQtQC
jocCIaagADAKBggqhkjOPQQDAgNIADBFAiEAhc/7NhTyerzqkje9Rn8g7EOripwO
tq3EWrhH3dafeM4CIAtRjt4pq35v3rJq+NhRJ0FvPnXwRLsTGM/cF4bUk2tm
-----END CERTIFICATE REQUEST-----
`;
const caPem = `-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIULTUoF2KjJbHkd38MWf+QLQbudEwwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCY2EwIBcNMjYxMTI1MTA1NTUzWhgPMjEyNjExMDExMDU1NTNa
MA0xCzAJBgNVBAMMAmNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJKKIindg
BkNNwkV4cxNX9wnP20C0nuPw6juke6ik24Avf2ABCOEE0HyxJ81GlMf/Bs4mH68t
IiS9SYsQVJ9slqNTMFEwHQYDVR0OBBYEFNDmyLzYCZrY4uRZZCtXBq7r7ef5MB8G
A1UdIwQYMBaAFNDmyLzYCZrY4uRZZCtXBq7r7ef5MA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIgEAEbGMPku6DhHHGjAp82U1oQUDO6g86Y0KWya8h6
2fYCIQD/osGNCg784vKtuCghtbBm0JZHBUmp3zgAOvlUmaZMlA==
-----END CERTIFICATE-----
`;
const base64 = (text: string) => Buffer.from(text).toString("base64");

const requests = registrationOf("certificates.k8s.io", "certificatesigningrequests");
const request = {
  apiVersion: "certificates.k8s.io/v1",
  kind: "CertificateSigningRequest",
  metadata: { name: "csr" },
  spec: {
    request: base64(csrPem),
    signerName: "example.com/signer",
    usages: ["client auth", "digital signature"],
  },
};

testCreate(requests, request, [
  ["a signed request", {}],
  ["not PEM", { "spec.request": base64("nope") }, ["Invalid spec.request"]],
  [
    "another block",
    { "spec.request": base64(csrPem.replaceAll("CERTIFICATE REQUEST", "CERTIFICATE")) },
    ["Invalid spec.request"],
  ],
  ["no usages", { "spec.usages": undefined }, ["Required spec.usages"]],
  [
    "unknown and repeated usages",
    { "spec.usages": ["client auth", "client auth", "x"] },
    ["NotSupported spec.usages[2]", "Duplicate spec.usages[1]"],
  ],
  ["no signer", { "spec.signerName": undefined }, ["Required spec.signerName"]],
  ["a signer without path", { "spec.signerName": "example.com" }, ["Invalid spec.signerName"]],
  [
    "the legacy signer",
    { "spec.signerName": "kubernetes.io/legacy-unknown" },
    ["Invalid spec.signerName"],
  ],
  ["too short", { "spec.expirationSeconds": 599 }, ["Invalid spec.expirationSeconds"]],
]);

test("create certificatesigningrequests: a broken signature", () => {
  const [block] = decodePem(csrPem);
  assert.ok(block);
  const bytes = Buffer.from(block.bytes);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  const text = bytes.toString("base64").replace(/.{64}/g, "$&\n");
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${text}\n-----END CERTIFICATE REQUEST-----\n`;
  const errors = createErrors(requests, changed(request, { "spec.request": base64(pem) }));
  assert.deepEqual(briefly(errors), ["Invalid spec.request"]);
});

test("create certificatesigningrequests: the caller's identity is the server's to say", () => {
  const object = decoded(requests, changed(request, { "spec.username": "someone-else" }));
  requests.strategy.prepareForCreate?.(contextOf(object), object);
  assert.equal(
    (object as unknown as typeof request & { spec: { username: string } }).spec.username,
    "admin",
  );
});

const approved = { type: "Approved", status: "True" };
const rows: readonly (readonly [string, string, object, object, readonly string[]])[] = [
  ["approves", "approval", {}, { "status.conditions": [approved] }, []],
  [
    "approval is not withdrawn",
    "approval",
    { "status.conditions": [approved] },
    { "status.conditions": undefined },
    ["Forbidden status.conditions"],
  ],
  [
    "both decisions",
    "approval",
    {},
    { "status.conditions": [approved, { type: "Denied", status: "True" }] },
    ["Invalid status.conditions[1].type"],
  ],
  [
    "a decision is True",
    "approval",
    {},
    { "status.conditions": [{ type: "Denied", status: "False" }] },
    ["NotSupported status.conditions[0].status"],
  ],
  [
    "status does not approve",
    "status",
    {},
    { "status.conditions": [approved] },
    ["Forbidden status.conditions"],
  ],
  ["status issues", "status", {}, { "status.certificate": base64(caPem) }, []],
  [
    "a certificate is PEM",
    "status",
    {},
    { "status.certificate": base64("nope") },
    ["Invalid status.certificate"],
  ],
  [
    "a certificate is written once",
    "status",
    { "status.certificate": base64(caPem) },
    { "status.certificate": base64(caPem + caPem) },
    ["Forbidden status.certificate"],
  ],
];
for (const [name, subresource, before, after, errors] of rows) {
  test(`update certificatesigningrequests/${subresource}: ${name}`, () => {
    const old = changed(request, before as Record<string, unknown>);
    const next = changed(old, after as Record<string, unknown>);
    assert.deepEqual(briefly(updateErrors(requests, next, old, { subresource })), errors);
  });
}

const bundles = registrationOf("certificates.k8s.io", "clustertrustbundles");
testCreate(
  bundles,
  {
    apiVersion: "certificates.k8s.io/v1beta1",
    kind: "ClusterTrustBundle",
    metadata: { name: "b" },
    spec: { trustBundle: caPem },
  },
  [
    ["one anchor", {}],
    ["no anchor", { "spec.trustBundle": "x" }, ["Invalid spec.trustBundle"]],
    ["twice the same", { "spec.trustBundle": caPem + caPem }, ["Invalid spec.trustBundle"]],
    ["another signer's name", { "spec.signerName": "a.b/c" }, ["Invalid metadata.name"]],
    ["its signer's name", { "spec.signerName": "a.b/c", "metadata.name": "a.b:c:x" }],
    ["a signer where none is", { "metadata.name": "a:b" }, ["Invalid metadata.name"]],
  ],
);
