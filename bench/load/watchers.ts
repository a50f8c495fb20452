/** The watch load: native/tools/watch-client.cc, built when missing, and what it reports. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { sleep } from "./process.ts";
import type { Target } from "./target.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the client. Throws where there is no compiler or no OpenSSL to build against. */
export function watchClient(): string {
  const source = join(root, "native", "tools", "watch-client.cc");
  const program = join(root, "build", "watch-client");
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program;
  mkdirSync(join(root, "build"), { recursive: true });
  execFileSync("g++", ["-std=c++20", "-O2", source, "-o", program, "-lssl", "-lcrypto"]);
  return program;
}

export interface WatchCounts {
  readonly bytes: number;
  /** Of the connections that decrypt (`sample`). */
  readonly events: number;
  readonly closed: number;
  readonly disorder: number;
  /** Seconds of CPU of the client itself. */
  readonly cpu: number;
}
export interface WatchResult extends WatchCounts {
  /** Milliseconds from before the write until the watcher has the event; absent without samples. */
  readonly delivery?: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
}

export interface WatchOptions {
  readonly count: number;
  readonly path: string;
  /** Connections that decrypt, check the order and time the delivery. */
  readonly sample?: number;
  readonly stalled?: number;
  /** Bytes a second that a stalled connection reads. */
  readonly rate?: number;
  readonly accept?: string;
}

export class Watchers {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #counts: WatchCounts = { bytes: 0, events: 0, closed: 0, disorder: 0, cpu: 0 };
  #delivery: WatchResult["delivery"];
  #ready: () => void = () => {};

  /** Opens the watches, and waits until all have been asked for. */
  static async open(target: Target, options: WatchOptions): Promise<Watchers> {
    const watchers = new Watchers(target, options);
    const ready = new Promise<void>((resolve) => {
      watchers.#ready = resolve;
    });
    await Promise.race([
      ready,
      watchers.#ended.then(() => Promise.reject(new Error("the watch client has ended early"))),
    ]);
    return watchers;
  }

  private constructor(target: Target, options: WatchOptions) {
    const { certificateFile, keyFile, credentials } = target;
    const args = [target.host, String(target.port), String(options.count), options.path];
    if (certificateFile !== "") args.push("--cert", certificateFile, "--key", keyFile);
    if (credentials.token !== undefined) args.push("--token", credentials.token);
    for (const name of ["sample", "stalled", "rate", "accept"] as const) {
      if (options[name] !== undefined) args.push(`--${name}`, String(options[name]));
    }
    this.#child = spawn(watchClient(), args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#ended = new Promise((resolve) => this.#child.once("close", () => resolve()));
    if (this.#child.stdout === null) throw new Error("no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#take(line));
  }

  get counts(): WatchCounts {
    return this.#counts;
  }

  /** Waits until nothing has come between two of the client's reports, which are a second apart. */
  async quiet(timeoutMs = 30_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (let last = -1; last !== this.#counts.bytes && Date.now() < deadline; await sleep(1_200)) {
      last = this.#counts.bytes;
    }
  }

  async close(): Promise<WatchResult> {
    this.#child.kill("SIGTERM");
    await this.#ended;
    return {
      ...this.#counts,
      ...(this.#delivery === undefined ? {} : { delivery: this.#delivery }),
    };
  }

  #take(line: string): void {
    if (line.startsWith("ready ")) this.#ready();
    const number = (name: string) =>
      Number(new RegExp(`\\b${name} ([\\d.]+)`).exec(line)?.[1] ?? 0);
    if (line.startsWith("t ") || line.startsWith("end ")) {
      this.#counts = {
        bytes: number("bytes"),
        events: number("events"),
        closed: number("closed"),
        disorder: number("disorder"),
        cpu: number("cpu"),
      };
    } else if (line.startsWith("delivery ")) {
      this.#delivery = {
        p50: number("p50"),
        p99: number("p99"),
        p999: number("p99\\.9"),
        max: number("max"),
      };
    }
  }
}
