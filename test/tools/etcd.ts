/**
 * An etcd of its own for a test: finds a binary (ETCD_BIN, PATH, .cache/etcd, or Debian's package
 * of a newer suite, fetched once), starts it on ports of 127.0.0.1 and stops it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const CACHE = join(ROOT, ".cache", "etcd");
const CACHED = join(CACHE, "usr", "bin", "etcd");
const NEWER_SUITE = "sid";

let found: string | undefined | null = null;

/** The path of an etcd binary, or undefined when there is none to be had (tests then skip). */
export function findEtcd(): string | undefined {
  if (found === null) found = locate();
  return found;
}

function locate(): string | undefined {
  const named = process.env["ETCD_BIN"];
  if (named !== undefined && existsSync(named)) return named;
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    if (existsSync(join(folder, "etcd"))) return join(folder, "etcd");
  }
  if (!existsSync(CACHED) && process.env["ETCD_FETCH"] !== "never") {
    try {
      fetchPackage();
    } catch {
      return undefined; // no apt, no network: the tests that need it say so
    }
  }
  return existsSync(CACHED) ? CACHED : undefined;
}

/** Downloads and unpacks the package, with the machine's own mirror and keys. */
function fetchPackage(): void {
  const work = mkdtempSync(join(tmpdir(), "klystron-apt-"));
  try {
    mkdirSync(join(work, "lists", "partial"), { recursive: true });
    const sources = join(work, "sources.list");
    writeFileSync(sources, `deb ${debianMirror()} ${NEWER_SUITE} main\n`);
    const options = [
      ["Dir::Etc::sourcelist", sources],
      ["Dir::Etc::sourceparts", "-"],
      ["Dir::State::lists", join(work, "lists")],
      ["APT::Sandbox::User", "root"],
    ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const run = { cwd: work, stdio: "ignore", timeout: 120_000 } as const;
    execFileSync("apt-get", [...options, "update"], run);
    execFileSync("apt-get", [...options, "download", "etcd-server"], run);
    const file = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (file === undefined) return;
    mkdirSync(CACHE, { recursive: true });
    execFileSync("dpkg", ["-x", join(work, file), CACHE], run);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function debianMirror(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = ["/etc/apt/sources.list"];
  if (existsSync(folder)) files.push(...readdirSync(folder).map((name) => join(folder, name)));
  for (const file of files.filter((name) => existsSync(name))) {
    const text = readFileSync(file, "utf8");
    const match = /(?:^|\s)(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(text);
    if (match?.[1] !== undefined) return match[1];
  }
  throw new Error("no Debian mirror among the machine's apt sources");
}

export interface EtcdOptions {
  /** Client port; the peer port is the next one. */
  readonly port: number;
  /** Default: a temporary folder, removed by stop(). */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly scheme?: "http" | "https";
  /** Client ports of all members, this one included; default: alone. */
  readonly members?: readonly number[];
}

/** A running etcd. kill() is kill -9 and keeps the data for start(). */
export class TestEtcd {
  readonly endpoint: string;
  readonly #options: EtcdOptions;
  readonly #dataDir: string;
  #child: ChildProcess | undefined;

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "klystron-etcd-"));
    this.endpoint = `${options.scheme ?? "http"}://127.0.0.1:${options.port}`;
  }

  async start(): Promise<void> {
    const binary = findEtcd();
    if (binary === undefined) throw new Error("no etcd binary");
    const { port, members = [port] } = this.#options;
    const peerOf = (clientPort: number): string => `http://127.0.0.1:${clientPort + 1}`;
    const nameOf = (clientPort: number): string =>
      members.length === 1 ? "default" : `member-${clientPort}`;
    const peer = peerOf(port);
    const args = [
      ["--data-dir", this.#dataDir],
      ["--listen-client-urls", this.endpoint],
      ["--advertise-client-urls", this.endpoint],
      ["--listen-peer-urls", peer],
      ["--initial-advertise-peer-urls", peer],
      ["--name", nameOf(port)],
      ["--initial-cluster", members.map((m) => `${nameOf(m)}=${peerOf(m)}`).join()],
      ["--log-level", "error"],
      ...(this.#options.args ?? []).map((arg) => [arg]),
    ].flat();
    this.#child = spawn(binary, args, { stdio: ["ignore", "ignore", "ignore"] });
    await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    const { connect } = await import("node:net");
    for (let i = 0; i < 200; i++) {
      const up = await new Promise<boolean>((resolve) => {
        const socket = connect(this.#options.port, "127.0.0.1");
        socket.once("connect", () => {
          socket.destroy();
          resolve(true);
        });
        socket.once("error", () => resolve(false));
      });
      if (up) return;
      await sleep(50);
    }
    throw new Error("etcd does not listen");
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** kill -9; the data stays. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGKILL");
    if (this.#options.dataDir === undefined)
      rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGCONT");
    child.kill(signal);
    await gone;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }
}
