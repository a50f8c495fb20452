import assert from "node:assert/strict";
import { test } from "node:test";
import { filesUnder, isGenerated, read } from "./source-files.ts";

const typescript = [
  ...filesUnder("src", ".ts"),
  ...filesUnder("test", ".ts"),
  ...filesUnder("bench", ".ts"),
].filter((path) => !path.startsWith("test/tidy/") && !isGenerated(path));
const src = typescript.filter((path) => path.startsWith("src/"));
const written = [
  ...typescript,
  ...filesUnder("native", ".cc", ".h"),
  ...filesUnder("scripts", ".mjs"),
  ...filesUnder("docs", ".md"),
  ...filesUnder("bin", ""),
  ...filesUnder(".ci", ""),
];

interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  readonly files: readonly string[];
  /** Files with a good reason. */
  readonly except?: readonly string[];
}
const word = (...letters: string[]) => letters.join("");

const bans: readonly Ban[] = [
  { what: "the type any", pattern: /(?::|<|\bas) any(?=\s*[;,)>=\]|&{])/, files: src },
  { what: "default exports", pattern: /^export default\b/m, files: src },
  { what: "enums", pattern: /^\s*(?:export )?(?:const )?enum \w+ \{/m, files: src },
  {
    what: "the keyword public",
    pattern: /^\s+public (?:readonly |static |async )?\w+/m,
    files: src,
  },
  { what: "writing to the console", pattern: /\bconsole\.\w+\(/, files: src },
  {
    what: "writing to standard output or error",
    pattern: /process\.std(?:out|err)\.write/,
    files: src,
    except: ["src/main.ts"],
  },
  {
    what: "authorizing by assertion",
    pattern: /as (?:unknown as )?AuthorizedRequest\b/,
    files: src,
    except: ["src/authorization/gate.ts"],
  },
  { what: "ending the process", pattern: /process\.exit\(/, files: src, except: ["src/main.ts"] },
  { what: "ts-ignore", pattern: /@ts-(?:ignore|nocheck)/, files: src },
  {
    what: "a TODO without an issue",
    pattern: /\b(?:TODO|FIXME|XXX)\b(?! ?\(?#\d+)/,
    files: written,
  },
  {
    what: "a path of one machine",
    pattern: /["'`\s(](?:\/work\/|\/home\/\w|\/root\/)/,
    files: written,
  },
  {
    what: "a registry's host",
    pattern: /registry\.npmjs\.org|registry\.yarnpkg\.com|npm\.pkg\.github/,
    files: written,
  },
  {
    what: "who or what wrote it",
    pattern: new RegExp(
      `\\b(?:${[
        word("cla", "ude"),
        word("anth", "ropic"),
        word("chat", "gpt"),
        word("open", "ai\\b"),
        word("co", "pilot"),
        word("ll", "m"),
        `${word("ai", "")}[- ](?:generated|assist\\w*)`,
      ].join("|")})\\b`,
      "i",
    ),
    files: written,
  },
];

for (const { what, pattern, files, except = [] } of bans) {
  test(`nothing has ${what}`, () => {
    const found = files
      .filter((path) => !except.includes(path))
      .flatMap((path) => {
        const match = pattern.exec(read(path));
        if (match === null) return [];
        const line = read(path).slice(0, match.index).split("\n").length;
        return [`${path}:${line}: ${match[0].trim()}`];
      });
    assert.deepEqual(found, []);
  });
}

test("the lock file names no host", () => {
  assert.ok(!/"resolved": "https?:/.test(read("package-lock.json")));
});

test("every file says what it is for", () => {
  const silent = src.filter(
    (path) => read(path).split("\n").length > 30 && !read(path).includes("/**"),
  );
  assert.deepEqual(silent, []);
});
