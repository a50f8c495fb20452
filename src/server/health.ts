/**
 * /healthz, /livez and /readyz: a registry of checks that others add to.
 * Upstream: apiserver/pkg/server/healthz/healthz.go.
 */
import type { BytesResponse, Handler } from "../request/request.ts";
import { textResponse } from "./response.ts";

export type HealthEndpoint = "healthz" | "livez" | "readyz";
export const healthEndpoints: readonly HealthEndpoint[] = ["healthz", "livez", "readyz"];

/** Rejects, or throws, with the reason. */
export type HealthCheck = (request: { readonly signal: AbortSignal }) => void | Promise<void>;

interface Entry {
  readonly name: string;
  readonly check: HealthCheck;
  readonly endpoints: ReadonlySet<HealthEndpoint>;
}
interface Outcome {
  readonly name: string;
  readonly error: Error | undefined;
}
/** Told of every result: kubernetes_healthcheck and kubernetes_healthchecks_total. */
export type HealthObserver = (endpoint: HealthEndpoint, name: string, healthy: boolean) => void;

export class HealthRegistry {
  readonly #entries: Entry[] = [];
  readonly #observe: HealthObserver | undefined;
  readonly #ranks: ReadonlyMap<string, number>;

  /**
   * `order`: names of checks as they are shown. The last of them comes after all others; a check
   * that it does not name stands before that one.
   */
  constructor(observe?: HealthObserver, order: readonly string[] = []) {
    this.#observe = observe;
    this.#ranks = new Map(order.map((name, rank) => [name, rank]));
    this.add("ping", () => {});
    this.add("log", () => {});
  }

  /** A second check of the same name replaces the first. */
  add(name: string, check: HealthCheck, endpoints: readonly HealthEndpoint[] = healthEndpoints) {
    const entry = { name, check, endpoints: new Set(endpoints) };
    const index = this.#entries.findIndex((one) => one.name === name);
    if (index !== -1) this.#entries[index] = entry;
    else this.#entries.push(entry);
    this.#entries.sort((a, b) => this.#rank(a) - this.#rank(b));
  }

  #rank({ name }: Entry): number {
    return this.#ranks.get(name) ?? this.#ranks.size - 1.5;
  }

  /**
   * A check `poststarthook/<name>` that fails until the returned function is called; then it
   * passes, or fails for good with the error given.
   */
  addPostStartHook(name: string): (error?: Error) => void {
    let state: "running" | "done" | Error = "running";
    this.add(`poststarthook/${name}`, () => {
      if (state === "running") throw new Error("not finished");
      if (state instanceof Error) throw state;
    });
    return (error) => {
      state = error ?? "done";
    };
  }

  names(endpoint: HealthEndpoint): readonly string[] {
    return this.#of(endpoint).map(({ name }) => name);
  }

  /** The handler of `/livez` and the like, or of `/livez/<check>`; undefined for other paths. */
  lookup(path: string): Handler | undefined {
    const [, first = "", ...rest] = path.split("/");
    const endpoint = healthEndpoints.find((one) => one === first);
    if (endpoint === undefined) return undefined;
    const name = rest.join("/");
    if (name === "") return (request) => this.#answer(endpoint, request.query, request.signal);
    const entry = this.#of(endpoint).find((one) => one.name === name);
    return entry === undefined ? undefined : (request) => this.#single(endpoint, entry, request);
  }

  #of(endpoint: HealthEndpoint): readonly Entry[] {
    return this.#entries.filter(({ endpoints }) => endpoints.has(endpoint));
  }

  async #run(endpoint: HealthEndpoint, { name, check }: Entry, signal: AbortSignal) {
    let error: Error | undefined;
    try {
      await check({ signal });
    } catch (thrown) {
      error = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    this.#observe?.(endpoint, name, error === undefined);
    return { name, error };
  }

  async #single(endpoint: HealthEndpoint, entry: Entry, request: { signal: AbortSignal }) {
    const { error } = await this.#run(endpoint, entry, request.signal);
    if (error === undefined) return plain(200, "ok");
    return textResponse(500, `internal server error: ${error.message}`);
  }

  async #answer(
    endpoint: HealthEndpoint,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<BytesResponse> {
    const excluded = new Set(query.getAll("exclude"));
    const lines: string[] = [];
    const outcomes: Outcome[] = [];
    const entries = this.#of(endpoint);
    const running = entries.map((entry) =>
      excluded.has(entry.name) ? undefined : this.#run(endpoint, entry, signal),
    );
    for (const [index, { name }] of entries.entries()) {
      const outcome = await running[index];
      if (outcome === undefined) lines.push(`[+]${name} excluded: ok`);
      else if (outcome.error === undefined) lines.push(`[+]${name} ok`);
      else lines.push(`[-]${name} failed: reason withheld`);
      if (outcome !== undefined) outcomes.push(outcome);
    }
    const unknown = [...excluded].filter((name) => !entries.some((entry) => entry.name === name));
    if (unknown.length > 0) {
      const list = unknown.map((name) => JSON.stringify(name)).join(",");
      lines.push(`warn: some health checks cannot be excluded: no matches for ${list}`);
    }
    const body = `${lines.join("\n")}\n`;
    if (outcomes.some(({ error }) => error !== undefined)) {
      return textResponse(500, `${body}${endpoint} check failed`);
    }
    return query.has("verbose")
      ? plain(200, `${body}${endpoint} check passed\n`)
      : plain(200, "ok");
  }
}

function plain(status: number, body: string): BytesResponse {
  return {
    kind: "bytes",
    status,
    headers: [
      ["Content-Type", "text/plain; charset=utf-8"],
      ["X-Content-Type-Options", "nosniff"],
    ],
    body,
  };
}
