import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isConfigMapKey,
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isEnvVarName,
  isHTTPHeaderName,
  isPathSegmentName,
  isQualifiedName,
  isValidLabelValue,
  isValidPercent,
  isValidPortName,
  isWildcardDNS1123Subdomain,
} from "../../../src/apimachinery/validation/names.ts";

const long = (length: number) => "a".repeat(length);

/** Upstream: util/validation/validation_test.go. */
const rules: [rule: (text: string) => readonly string[], good: string[], bad: string[]][] = [
  [
    isDNS1123Label,
    ["a", "0", "a-1", "a--1--2--b", long(63)],
    ["", "A", "a1-", "-", "a.b", "a_b", " a", "a ", long(64)],
  ],
  [
    isDNS1123Subdomain,
    ["a", "a.b.c.d", "0--1.2", long(253)],
    ["", "A", "a.B", "-a", "a-.b", "a..b", "a.", ".a", "a_b", long(254)],
  ],
  [isDNS1035Label, ["a", "a1", "a--1", long(63)], ["0", "1a", "A", "a-", "", long(64)]],
  [
    isWildcardDNS1123Subdomain,
    ["*.example.com", "*.a"],
    ["", "a", "*", "*.", "*.bar.*", "*.bar-", "*bar.com"],
  ],
  [
    isQualifiedName,
    ["simple", "now-with-dashes", "1-num.2-num", "1234/5678", "Uppercase.Is.OK_123", "a.b/c"],
    ["", "nospecialchars%^=@", "/", "a/", "/a", "a/b/c", "-a", "a-", `${long(64)}`, "A.b/c"],
  ],
  [
    isValidLabelValue,
    ["", "simple", "now-with-dashes", "under_score", "1.2.3", long(63)],
    ["nospecialchars%^=@", "Tama-nui-te-rā.is.Māori.sun", "\\backslashes", "-a", long(64)],
  ],
  [
    isValidPortName,
    ["telnet", "re-mail-ck", "pop3", "a", "a1"],
    ["", "1", "a-", "a--b", "A", "a.b"],
  ],
  [isConfigMapKey, ["a", "A.b_c-1", ".a"], ["", ".", "..", "..a", "a/b", "a b", long(254)]],
  [isEnvVarName, ["a", "A_b.c-1", "_"], ["", "1a", "a=b", ".", "..", "a b"]],
  [isHTTPHeaderName, ["Accept", "x-a"], ["", "a b", "a:b"]],
  [isValidPercent, ["0%", "100%"], ["1", "1.0%", "-1%", "%"]],
  [isPathSegmentName, ["a", "A b", "..a"], [".", "..", "a/b", "a%b"]],
];
for (const [rule, good, bad] of rules) {
  const name = rule.name || "format";
  for (const text of good) {
    test(`${name}: ${text.slice(0, 40)}`, () => assert.deepEqual(rule(text), []));
  }
  for (const text of bad) {
    test(`${name} refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.notEqual(rule(text).length, 0);
    });
  }
}
