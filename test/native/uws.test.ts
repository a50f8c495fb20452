/** The loader: the module works, takes long headers, and the changed copy differs only as meant. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fixGlibcSymbols } from "../../src/native/elf-fix.ts";
import { loadUws, uwsBinaryPath } from "../../src/native/uws.ts";

const PORT = 21190 + (process.pid % 5);

test("headers of 30 KB are accepted, and uWS does not name itself", async () => {
  const uws = loadUws();
  assert.equal(loadUws(), uws);
  assert.match(uwsBinaryPath(), /\.node$/);
  const app = uws.App().get("/", (res, req) => {
    res.end(String(req.getHeader("x-long").length));
  });
  const listening = await new Promise<unknown>((resolve) => {
    app.listen("127.0.0.1", PORT, resolve);
  });
  assert.ok(listening, `port ${PORT}`);
  const headers = { "x-long": "x".repeat(30_000), connection: "close" };
  const [body, names] = await new Promise<[string, string[]]>((resolve, reject) => {
    get({ host: "127.0.0.1", port: PORT, headers }, (message) => {
      let text = "";
      message.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      message.on("end", () => resolve([text, Object.keys(message.headers)]));
    }).on("error", reject);
  });
  app.close();
  assert.equal(body, "30000");
  assert.ok(!names.includes("uwebsockets"));
});

test("the fix changes a few words of the binary, and refuses other files", () => {
  assert.throws(() => fixGlibcSymbols(Buffer.alloc(100)), /not a little-endian ELF64/);
  assert.throws(() => fixGlibcSymbols(Buffer.from("x")), /not a little-endian ELF64/);
  const folder = dirname(createRequire(import.meta.url).resolve("uWebSockets.js"));
  const name = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  const original = readFileSync(join(folder, name));
  const fixed = fixGlibcSymbols(original);
  assert.equal(fixed.length, original.length);
  let different = 0;
  for (let i = 0; i < fixed.length; i++) if (fixed[i] !== original[i]) different++;
  assert.ok(different > 0 && different < 64, `${different} bytes`);
});
