import { execFileSync } from "node:child_process";
import { createSign, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const requests = registrationOf("certificates.k8s.io", "podcertificaterequests");

const ed25519 = generateKeyPairSync("ed25519");
const p256 = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const p224 = generateKeyPairSync("ec", { namedCurve: "secp224r1" });
const rsa2048 = generateKeyPairSync("rsa", { modulusLength: 2048 });

const der = (key: typeof ed25519.publicKey) =>
  key.export({ format: "der", type: "spki" }).toString("base64");
const proof = (key: typeof ed25519.privateKey) =>
  key.asymmetricKeyType === "ed25519"
    ? sign(null, Buffer.from("pod-uid"), key).toString("base64")
    : createSign("sha256").update("pod-uid").sign(key).toString("base64");

const request = {
  apiVersion: "certificates.k8s.io/v1beta1",
  kind: "PodCertificateRequest",
  metadata: { name: "r", namespace: "default" },
  spec: {
    signerName: "example.com/signer",
    podName: "p",
    podUID: "pod-uid",
    serviceAccountName: "s",
    serviceAccountUID: "s-uid",
    nodeName: "n",
    nodeUID: "n-uid",
    pkixPublicKey: der(ed25519.publicKey),
    proofOfPossession: proof(ed25519.privateKey),
  },
};

/** A request and a certificate for its key, as OpenSSL makes them. */
function withOpenssl(): { csr: string; chain: string } {
  const folder = mkdtempSync(join(tmpdir(), "pod-request-"));
  const at = (name: string) => join(folder, name);
  const run = (line: string) => execFileSync("openssl", line.split(" "), { stdio: "ignore" });
  try {
    writeFileSync(at("key"), p256.privateKey.export({ format: "pem", type: "pkcs8" }));
    run(`req -new -key ${at("key")} -subj / -outform DER -out ${at("csr")}`);
    run(`req -x509 -key ${at("key")} -subj /CN=p -days 1 -out ${at("crt")}`);
    return {
      csr: readFileSync(at("csr")).toString("base64"),
      chain: readFileSync(at("crt"), "utf8"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const { csr, chain } = withOpenssl();

const pair = (keys: typeof p256) => ({
  "spec.pkixPublicKey": der(keys.publicKey),
  "spec.proofOfPossession": proof(keys.privateKey),
});
const none = { "spec.pkixPublicKey": undefined, "spec.proofOfPossession": undefined };

testCreate(requests, request, [
  ["an ed25519 key", {}],
  ["a curve", pair(p256)],
  ["another curve", pair(p224), ["Invalid spec.pkixPublicKey"]],
  ["a short key", pair(rsa2048), ["Invalid spec.pkixPublicKey"]],
  ["another pod's proof", { "spec.podUID": "x" }, ["Invalid spec.proofOfPossession"]],
  ["no key", none, ["Invalid spec"]],
  ["a stub", { ...none, "spec.stubPKCS10Request": csr }],
  ["a stub beside a key", { "spec.stubPKCS10Request": csr }, ["Invalid spec"]],
  [
    "a stub that is none",
    { ...none, "spec.stubPKCS10Request": "AAAA" },
    ["Invalid spec.stubPKCS10Request"],
  ],
  ["a day and more", { "spec.maxExpirationSeconds": 86_401 }],
  ["too short", { "spec.maxExpirationSeconds": 3599 }, ["Invalid spec.maxExpirationSeconds"]],
  [
    "a signer of the project, for too long",
    { "spec.signerName": "kubernetes.io/x", "spec.maxExpirationSeconds": 86_401 },
    ["Invalid spec.maxExpirationSeconds"],
  ],
  ["no node", { "spec.nodeUID": "" }, ["Invalid spec.nodeUID"]],
  [
    "an annotation without a domain",
    { "spec.unverifiedUserAnnotations": { a: "b" } },
    ["Invalid spec.unverifiedUserAnnotations"],
  ],
]);
testUpdate(requests, request, [
  ["nothing", {}],
  ["the pod", { "spec.podName": "q" }, ["Invalid spec"]],
]);

const condition = (type: string, more = {}) => ({
  type,
  status: "True",
  reason: "R",
  message: "m",
  lastTransitionTime: "2026-01-02T03:04:05Z",
  ...more,
});
testUpdate(
  requests,
  request,
  [
    ["denied", { status: { conditions: [condition("Denied")] } }],
    [
      "denied with a chain",
      { status: { conditions: [condition("Denied")], certificateChain: "x" } },
      ["Invalid status"],
    ],
    ["a chain alone", { status: { certificateChain: "x" } }, ["Invalid status"]],
    [
      "an unknown end",
      { status: { conditions: [condition("x")] } },
      ["NotSupported status.conditions.[0].type"],
    ],
    [
      "two ends",
      { status: { conditions: [condition("Denied"), condition("Failed")] } },
      ["Invalid status.conditions.[1].type"],
    ],
    [
      "issued without a chain",
      { status: { conditions: [condition("Issued")] } },
      ["Invalid status.certificateChain"],
    ],
    [
      "issued to another key",
      { status: { conditions: [condition("Issued")], certificateChain: chain } },
      ["Invalid status.certificateChain"],
    ],
  ],
  { subresource: "status" },
);
testUpdate(
  requests,
  { ...request, spec: { ...request.spec, ...{ stubPKCS10Request: csr, pkixPublicKey: "" } } },
  [
    [
      "issued without times",
      { status: { conditions: [condition("Issued")], certificateChain: chain } },
      ["Required status.notBefore", "Required status.notAfter", "Required status.beginRefreshAt"],
    ],
  ],
  { subresource: "status" },
);
