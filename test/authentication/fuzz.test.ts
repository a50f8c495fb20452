// No bytes a client can send may do anything but fail to be an identity. Seconds here; more runs with
// FUZZ_RUNS.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseToken } from "../../src/authentication/service-account/jwt.ts";
import { parseCsv } from "../../src/authentication/token/csv.ts";
import { parseCertificate, readName } from "../../src/authentication/x509/certificate.ts";
import { organizationsOf } from "../../src/authentication/x509/certificate-request.ts";
import {
  DerError,
  DerReader,
  readObjectIdentifier,
  readString,
  readTime,
} from "../../src/authentication/x509/der-reader.ts";
import { authority, client } from "./certificates.ts";

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 2_000);
const bytes = fc.uint8Array({ maxLength: 300 });

function onlyDerErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof DerError, String(error));
  }
}

function walk(reader: DerReader, depth: number): void {
  while (!reader.done) {
    const element = reader.next();
    assert.ok(element.raw.length >= element.content.length);
    onlyDerErrors(() => readString(element));
    onlyDerErrors(() => readTime(element));
    onlyDerErrors(() => readObjectIdentifier(element.content));
    if (depth > 0) onlyDerErrors(() => walk(new DerReader(element.content), depth - 1));
  }
}

test("DER readers throw DerError only", () => {
  fc.assert(
    fc.property(bytes, (input) => {
      onlyDerErrors(() => walk(new DerReader(input), 4));
      onlyDerErrors(() => readName(input));
    }),
    { numRuns },
  );
});

const made = client(authority("ca"), "alice", "devs");
const der = Buffer.from(made.pem.replace(/-----[^-]+-----/g, ""), "base64");

test("a damaged certificate is an error or still a certificate", () => {
  const change = fc.record({ at: fc.nat(der.length - 1), to: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const damaged = Buffer.from(der);
      for (const { at, to } of changes) damaged[at] = to;
      try {
        const { subject, notAfter } = parseCertificate(damaged);
        assert.equal(typeof subject.commonName, "string");
        assert.ok(Number.isFinite(notAfter));
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns },
  );
});

test("a cut certificate is an error", () => {
  for (let length = 0; length < der.length; length++) {
    assert.throws(() => parseCertificate(der.subarray(0, length)));
  }
});

test("certificate requests never throw", () => {
  fc.assert(
    fc.property(bytes, (input) => {
      const base64 = Buffer.from(input).toString("base64");
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----`;
      assert.ok(Array.isArray(organizationsOf(pem)));
    }),
    { numRuns },
  );
});

test("tokens never throw, and come apart only when they are whole", () => {
  const part = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString("base64url")),
    fc
      .record({ alg: fc.string(), kid: fc.string() })
      .map((value) => Buffer.from(JSON.stringify(value)).toString("base64url")),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const token = parts.join(".");
      const parsed = parseToken(token);
      if (parsed === undefined) return;
      assert.equal(token.split(".").length, 3);
      assert.equal(typeof parsed.header.alg, "string");
    }),
    { numRuns },
  );
});

test("CSV never throws and keeps what it can read", () => {
  const field = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 5 }),
      (rows) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const text = rows.map((row) => row.map(quoted).join(",")).join("\n");
        assert.deepEqual(parseCsv(text), rows);
      },
    ),
    { numRuns: numRuns / 4 },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseCsv(text);
    }),
    { numRuns },
  );
});
