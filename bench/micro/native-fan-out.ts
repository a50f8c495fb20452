/**
 * What one watch event costs a front thread per watcher: server CPU, from the operating system, with
 * N watches over TLS on one uWS thread, the client pinned to another core.
 * Run: taskset -c 0 node --import tsx bench/micro/native-fan-out.ts [watchers] [events] [burst] [bytes]
 * Needs g++ with OpenSSL's headers, for native/tools/watch-client.cc.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { WatchId } from "../../src/native/binding.ts";
import { native } from "../../src/native/binding.ts";
import { closeWatch, hasPump, startWatch, watchCount } from "../../src/native/pump.ts";
import { loadUws } from "../../src/native/uws.ts";

const [watchers = 1000, events = 100, burst = 1, bytes = 2500] = process.argv.slice(2).map(Number);
const PORT = 21195;
const root = join(import.meta.dirname, "..", "..");
const client = join(root, "build", "watch-client");
const source = join(root, "native", "tools", "watch-client.cc");
if (!existsSync(client)) {
  execFileSync("g++", ["-std=c++20", "-O2", source, "-o", client, "-lssl", "-lcrypto"]);
}

const folder = mkdtempSync(join(tmpdir(), "klystron-fan-out-"));
const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=x";
execFileSync("openssl", [...request.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });

const id = native.openResource({
  name: "configmaps",
  apiVersion: "v1",
  kind: "ConfigMap",
  goName: "k8s.io/api/core/v1.ConfigMap",
  namespaced: true,
  fieldPaths: [],
});
native.beginFill(id);
native.commitFill(id, 1);

const app = loadUws().SSLApp({ key_file_name: key, cert_file_name: cert });
app.get("/watch", (res) => {
  const watch = native.watchOpen(id, { from: "now", encoding: 0, bookmarks: false }) as WatchId;
  res.onAborted(() => closeWatch(watch));
  const headers = [["Content-Type", "application/json"]] as const;
  startWatch(watch, { res, ssl: true, json: true, headers });
});
const listening = await new Promise<unknown>((resolve) => app.listen("127.0.0.1", PORT, resolve));
if (!listening) throw new Error(`port ${PORT}`);

const load = spawn("taskset", [
  "-c",
  "1",
  client,
  "127.0.0.1",
  String(PORT),
  String(watchers),
  "/watch",
]);
const lines = createInterface({ input: load.stdout });
await new Promise<void>((resolve) => lines.once("line", () => resolve()));
while (watchCount() < watchers) await new Promise((resolve) => setTimeout(resolve, 20));
await new Promise((resolve) => setTimeout(resolve, 1000));
const rss = process.memoryUsage().rss;

const note = "n".repeat(Math.max(0, bytes - 200));
const json = { metadata: { name: "c", namespace: "d", uid: "u" }, data: { note } };
const scratch = Buffer.alloc(1 << 20);
const text = Buffer.from(JSON.stringify(json));
const size = native.jsonToProto(
  "k8s.io/api/core/v1.ConfigMap",
  "ConfigMap",
  "v1",
  "",
  text,
  scratch,
  true,
);
const value = Buffer.from(scratch.subarray(0, size));

let received = 0;
lines.on("line", (line) => {
  received = Number(/bytes (\d+)/.exec(line)?.[1] ?? received);
});
let revision = 1;
const cpu = process.cpuUsage();
const pause = Math.max(10, (watchers * burst * 12) / 1000);
for (let sent = 0; sent < events; sent += burst) {
  for (let i = 0; i < burst; i++) native.applyPut(id, "d/c", ++revision, value, false);
  await new Promise((resolve) => setTimeout(resolve, pause));
}
await new Promise((resolve) => setTimeout(resolve, 200));
const used = process.cpuUsage(cpu);
await new Promise((resolve) => setTimeout(resolve, 1500));
const each = (used.user + used.system) / (events * watchers);
console.log(
  `pump ${hasPump()}, ${watchers} watchers, ${events} events in bursts of ${burst}, ${bytes} bytes: ` +
    `${each.toFixed(2)} us per event and watcher (user ${(used.user / (events * watchers)).toFixed(2)}), ` +
    `RSS +${((process.memoryUsage().rss - rss) / 1e6).toFixed(1)} MB, ` +
    `client got ${(received / events / watchers).toFixed(0)} bytes each`,
);
load.kill("SIGTERM");
process.kill(process.pid, "SIGTERM");
