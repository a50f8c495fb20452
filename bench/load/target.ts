/** A server under load: our own, started here, or a peer that runs already. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpuMs, sleep } from "./process.ts";

export interface Credentials {
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
}

export interface Target {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** 0: not on this machine, or not known; CPU and memory can not be told. */
  readonly pid: number;
  readonly credentials: Credentials;
  /** Files with the credentials, for programs that take files; empty without a certificate. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly agent: Agent;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** From exec to /readyz, and the CPU until then. */
export interface Start {
  readonly target: Target;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/**
 * Starts Klystron on `port` with `args`; with `dataDir` over what is there already. Without
 * `credentials` it must write an admin's kubeconfig, as it does when it stands alone.
 */
export async function startKlystron(
  port: number,
  args: readonly string[] = [],
  dataDir = mkdtempSync(join(tmpdir(), "klystron-bench-")),
  credentials?: Credentials,
): Promise<Start & { readonly dataDir: string }> {
  const began = performance.now();
  const program = join(root, "bin", "klystron");
  const command = [program, `--data-dir=${dataDir}`, `--secure-port=${port}`, ...args];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "ignore", "inherit"] });
  await ready(child, port);
  const wallMs = performance.now() - began;
  const used = cpuMs(child.pid ?? 0);
  const ownUser = () => kubeconfigUser(readFileSync(join(dataDir, "admin.kubeconfig"), "utf8"));
  const target = makeTarget("klystron", `https://127.0.0.1:${port}`, credentials ?? ownUser(), {
    pid: child.pid ?? 0,
    stop: () => ended(child),
  });
  return { target, wallMs, cpuMs: used, dataDir };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exit;
  clearTimeout(hard);
}

/** Polls each 5 ms without a client certificate: /readyz is public. */
async function ready(child: ChildProcess, port: number): Promise<void> {
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: true });
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(5)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const status = await new Promise<number>((resolve) => {
      const asked = httpsRequest(
        { host: "127.0.0.1", port, path: "/readyz", agent },
        (response) => {
          response.resume();
          response.on("end", () => resolve(response.statusCode ?? 0));
        },
      );
      asked.on("error", () => resolve(0));
      asked.end();
    });
    if (status === 200) {
      agent.destroy();
      return;
    }
  }
  throw new Error("the server was not ready in a minute");
}

/** Another API server; without a pid on this machine only times are told. */
export function peer(url: string, credentials: Credentials, pid: number): Target {
  return makeTarget("peer", url, credentials, { pid, stop: async () => {} });
}

function makeTarget(
  name: string,
  url: string,
  credentials: Credentials,
  { pid, stop }: Pick<Target, "pid" | "stop">,
): Target {
  const { hostname, port } = new URL(url);
  const folder = mkdtempSync(join(tmpdir(), "klystron-bench-pki-"));
  const { certificate, key } = credentials;
  const file = (what: string, text: string | undefined) => {
    if (text === undefined) return "";
    writeFileSync(join(folder, what), text, { mode: 0o600 });
    return join(folder, what);
  };
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 64,
    rejectUnauthorized: false,
    ...(certificate === undefined ? {} : { cert: certificate, key }),
  });
  return {
    name,
    host: hostname,
    port: Number(port),
    pid,
    credentials,
    certificateFile: file("client.crt", certificate),
    keyFile: file("client.key", key),
    agent,
    stop: async () => {
      agent.destroy();
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The first user of a kubeconfig with data in place, as `klystron` and `kubeadm` write it. */
export function kubeconfigUser(text: string): Credentials {
  const data = (field: string) => new RegExp(`${field}: *"?([^\\s"]+)`).exec(text)?.[1];
  const pem = (field: string) => {
    const value = data(field);
    return value === undefined ? undefined : Buffer.from(value, "base64").toString();
  };
  const certificate = pem("client-certificate-data");
  const key = pem("client-key-data");
  const token = data("token");
  return {
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
    ...(token === undefined ? {} : { token }),
  };
}

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** Kept for answers below 4 MB only. */
  readonly body: string;
  readonly ttfbMs: number;
  readonly totalMs: number;
}

const KEPT_MAX = 4 << 20;

/** One request; large bodies are counted and dropped. Throws for a status of 400 and more. */
export function call(
  target: Target,
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const began = performance.now();
  const { token } = target.credentials;
  const sent: Record<string, string | number> = { "user-agent": "bench", ...headers };
  if (token !== undefined) sent["authorization"] = `Bearer ${token}`;
  if (body !== undefined) {
    sent["content-type"] ??= "application/json";
    sent["content-length"] = Buffer.byteLength(body);
  }
  return new Promise((resolve, reject) => {
    const { host, port, agent } = target;
    const options = { host, port, method, path, agent, headers: sent };
    const asked = httpsRequest(options, (response) => {
      const ttfbMs = performance.now() - began;
      take(response).then(({ bytes, text }) => {
        const status = response.statusCode ?? 0;
        if (status >= 400) reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`));
        else resolve({ status, bytes, body: text, ttfbMs, totalMs: performance.now() - began });
      }, reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

async function take(response: IncomingMessage): Promise<{ bytes: number; text: string }> {
  let bytes = 0;
  const kept: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= KEPT_MAX) kept.push(chunk);
  }
  return { bytes, text: bytes <= KEPT_MAX ? Buffer.concat(kept).toString() : "" };
}
