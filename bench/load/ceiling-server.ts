/** 10 KB over TLS from uWebSockets.js and nothing else. Arguments: port. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadUws } from "../../src/native/uws.ts";
import { ensurePki } from "../../src/server/pki/store.ts";

const folder = mkdtempSync(join(tmpdir(), "klystron-ceiling-"));
const { servingCert, servingKey } = ensurePki(folder, ["127.0.0.1"]);
const body = "x".repeat(10_240);
loadUws()
  .SSLApp({ cert_file_name: servingCert, key_file_name: servingKey })
  .any("/*", (response) => {
    response.end(body);
  })
  .listen(Number(process.argv[2]), () => {
    process.stdout.write("ready\n");
  });
