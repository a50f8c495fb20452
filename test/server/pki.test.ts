import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { issue } from "../../src/server/pki/certificate.ts";
import { der, integer, objectIdentifier, time } from "../../src/server/pki/der.ts";
import { ensurePki, kubeconfig } from "../../src/server/pki/store.ts";
import { firstAddress, servingNames } from "../../src/server/serving-names.ts";

const folder = mkdtempSync(join(tmpdir(), "klystron-pki-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("DER encodes lengths, integers, identifiers and times", () => {
  assert.equal(hex(der(0x04, Buffer.alloc(127))).slice(0, 4), "047f");
  assert.equal(hex(der(0x04, Buffer.alloc(128))).slice(0, 6), "048180");
  assert.equal(hex(der(0x04, Buffer.alloc(300))).slice(0, 8), "0482012c");
  assert.equal(hex(integer(Buffer.of(0, 0x80))), "02020080");
  assert.equal(hex(integer(Buffer.of(0))), "020100");
  assert.equal(hex(objectIdentifier("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  assert.equal(time(new Date("2026-01-02T03:04:05Z")).toString("latin1").slice(2), "260102030405Z");
  assert.equal(
    time(new Date("2050-01-02T03:04:05Z")).toString("latin1").slice(2),
    "20500102030405Z",
  );
});

const authority = issue({ subject: { commonName: "ca" }, usage: "authority", days: 2 });

test("issued certificates chain, and carry groups and names", () => {
  const ca = new X509Certificate(authority.certificate);
  assert.equal(ca.ca, true);
  const names = ["host.example", "*.wild.example", "10.1.2.3", "fd00::5"];
  const server = issue(
    { subject: { commonName: "s" }, usage: "server", names, days: 1 },
    authority,
  );
  const certificate = new X509Certificate(server.certificate);
  assert.ok(certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(server.key)));
  assert.ok(certificate.checkHost("a.wild.example") && certificate.checkHost("host.example"));
  assert.ok(certificate.checkIP("10.1.2.3") && certificate.checkIP("fd00::5"));
  const subject = { commonName: "u", organizations: ["b", "a"] };
  const client = new X509Certificate(
    issue({ subject, usage: "client", days: 1 }, authority).certificate,
  );
  assert.equal(client.subject, "O=b\nO=a\nCN=u");
  assert.deepEqual(client.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
});
test("any name can be a subject", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 60 }), (commonName) => {
      const one = issue({ subject: { commonName }, usage: "client", days: 1 }, authority);
      assert.ok(
        new X509Certificate(one.certificate).verify(
          new X509Certificate(authority.certificate).publicKey,
        ),
      );
    }),
    { numRuns: 20 },
  );
});

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"]);
    return true;
  } catch {
    return false;
  }
}
test("openssl agrees, strictly", { skip: !hasOpenssl() }, () => {
  const files = ensurePki(join(folder, "strict"), ["localhost"]);
  const verify = (purpose: string, file: string) =>
    execFileSync("openssl", [
      "verify",
      "-x509_strict",
      "-purpose",
      purpose,
      "-CAfile",
      files.caCert,
      file,
    ]);
  verify("sslserver", files.servingCert);
  verify("sslclient", files.adminCert);
});

test("the PKI is made once, and its leaves again when names or time ask for it", () => {
  const data = join(folder, "once");
  const files = ensurePki(data, ["localhost"]);
  const read = () =>
    [files.caCert, files.servingCert, files.signingKey].map((f) => readFileSync(f, "utf8"));
  const [ca, serving, signing] = read();
  ensurePki(data, ["localhost"]);
  assert.deepEqual(read(), [ca, serving, signing]);
  ensurePki(data, ["localhost", "10.9.9.9"]);
  const [caAfter, servingAfter, signingAfter] = read();
  assert.equal(caAfter, ca);
  assert.equal(signingAfter, signing);
  assert.notEqual(servingAfter, serving);
  const pair = {
    certificate: readFileSync(files.caCert, "utf8"),
    key: readFileSync(files.caKey, "utf8"),
  };
  const old = issue({ subject: { commonName: "old" }, usage: "client", days: 3 }, pair);
  writeFileSync(files.adminCert, old.certificate);
  ensurePki(data, ["localhost"]);
  assert.match(new X509Certificate(readFileSync(files.adminCert)).subject, /kubernetes-admin/);
  assert.deepEqual(readdirSync(data), ["pki"]);
});
test("a kubeconfig embeds what it needs", () => {
  const text = kubeconfig("https://127.0.0.1:1", "ca", { certificate: "c", key: "k" });
  assert.match(text, /certificate-authority-data: Y2E=\n {4}server: https:\/\/127\.0\.0\.1:1\n/);
});

test("names of a self-made serving certificate", () => {
  assert.equal(firstAddress("10.0.0.0/24"), "10.0.0.1");
  assert.equal(firstAddress("10.96.3.7/12"), "10.96.0.1");
  assert.equal(firstAddress("fd00:1::/108"), "fd00:1::1");
  const names = servingNames("10.96.0.0/12", "0.0.0.0", "192.0.2.7", undefined);
  assert.ok(names.includes("10.96.0.1") && names.includes("192.0.2.7"));
  assert.ok(!names.includes("0.0.0.0"));
});
