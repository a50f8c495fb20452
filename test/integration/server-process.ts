/** A server as others start it: the executable, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A test that fails or runs out of time must not leave its servers behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
process.once("SIGTERM", () => process.exit(1));

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

export class ServerProcess {
  readonly folder = mkdtempSync(join(tmpdir(), "klystron-test-"));
  readonly port: number;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  stdout = "";
  stderr = "";

  constructor(port: number, flags: readonly string[], bin = join(root, "bin", "klystron")) {
    this.port = port;
    const own = [`--secure-port=${port}`, "--bind-address=127.0.0.1"];
    const args = [...own, `--data-dir=${join(this.folder, "data")}`, ...flags];
    this.#child = spawn(bin, args, { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout?.on("data", (text) => {
      this.stdout += String(text);
    });
    this.#child.stderr?.on("data", (text) => {
      this.stderr += String(text);
    });
    running.add(this.#child);
    this.exited = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        running.delete(this.#child);
        resolve({ code, signal });
      });
    });
  }

  static async start(...flags: string[]): Promise<ServerProcess> {
    const server = new ServerProcess(await freePort(), flags);
    await server.ready();
    return server;
  }

  /** Rejects when /readyz is not 200 within 20 s, or the process ends. */
  async ready(): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline && this.#child.exitCode === null) {
      const answer = await this.ask("/readyz", { agent: false }).catch(() => undefined);
      if (answer?.status === 200 && this.stdout.includes("Serving securely")) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`not ready: ${this.stdout}${this.stderr}`);
  }

  file(name: string): string {
    return readFileSync(join(this.folder, "data", name), "utf8");
  }
  /** Options for requests as the administrator. */
  get admin(): RequestOptions {
    return { cert: this.file("pki/admin.crt"), key: this.file("pki/admin.key"), agent: false };
  }

  ask(path: string, options: RequestOptions = {}, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const all = { host: "127.0.0.1", port: this.port, path, rejectUnauthorized: false };
      const asking = request({ ...all, ...options }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on("error", reject);
      });
      asking.on("error", reject);
      asking.end(body);
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
  /** Ends it in order, and removes its folder. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
    this.kill(signal);
    const exit = await this.exited;
    this.remove();
    return exit;
  }
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
