/**
 * The front on uWebSockets.js: one per front thread. Every lifetime rule of uWS is kept in the
 * front-uws files: `req` dies when the route returns, `res` once answered or aborted, onAborted
 * comes first, nothing throws out of a route, every write is corked.
 */
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from "uWebSockets.js";
import { logInfo } from "../metrics/log.ts";
import { loadUws } from "../native/uws.ts";
import { Deadlines } from "./deadline.ts";
import type { Front, FrontConfig, FrontLimits, ListenOptions, TlsMaterial } from "./front.ts";
import { defaultLimits } from "./front.ts";
import { type Acceptor, UwsAcceptor } from "./front-uws-acceptor.ts";
import { Connections } from "./front-uws-connections.ts";
import { type ExchangeContext, UwsExchange } from "./front-uws-exchange.ts";
import { loadPump } from "./front-uws-pump.ts";
import { createTlsApp } from "./front-uws-tls.ts";
import { watchSocket } from "./front-uws-websocket.ts";

/** Throws where uWebSockets.js can not load. Without `acceptor` the front accepts for itself. */
export async function createUwsFront(config: FrontConfig, acceptor?: Acceptor): Promise<Front> {
  loadUws();
  return new UwsFront(config, acceptor ?? new UwsAcceptor());
}

/** When closing takes this long, the log says what it waits for. */
const SLOW_CLOSE_MS = 2_000;

/** An app with one set of certificates; several live side by side after a rotation. */
interface ServingApp {
  readonly app: TemplatedApp;
  readonly descriptor: number;
  connectionsCount: number;
  retired: boolean;
}

class UwsFront implements Front {
  readonly name = "uws";
  readonly #config: FrontConfig;
  readonly #acceptor: Acceptor;
  readonly #apps = new Set<ServingApp>();
  readonly #exchanges = new Set<UwsExchange>();
  readonly #deadlines = new Deadlines();
  readonly #connections = new Connections();
  #limits: FrontLimits = defaultLimits;
  #draining = false;

  constructor(config: FrontConfig, acceptor: Acceptor) {
    this.#config = config;
    this.#acceptor = acceptor;
  }
  get openRequests(): number {
    return this.#exchanges.size;
  }

  async listen({ host, port, tls, limits }: ListenOptions): Promise<number> {
    this.#limits = limits;
    await loadPump();
    const serving = this.#createApp(tls);
    const actualPort = await this.#acceptor.listen(host, port, tls);
    await this.#acceptor.add(serving.descriptor);
    return actualPort;
  }

  async reloadCertificates(tls: TlsMaterial): Promise<void> {
    const old = [...this.#apps].filter((app) => !app.retired);
    const fresh = this.#createApp(tls);
    await this.#acceptor.add(fresh.descriptor);
    for (const app of old) {
      await this.#acceptor.remove(app.descriptor);
      app.retired = true;
      this.#closeIfUnused(app);
    }
  }

  async close(graceMs: number, watchGraceMs = 0): Promise<void> {
    this.#draining = true;
    for (const app of this.#apps) if (!app.retired) await this.#acceptor.remove(app.descriptor);
    await this.#acceptor.close();
    const deadline = performance.now() + graceMs;
    const watchDeadline = performance.now() + Math.min(watchGraceMs, graceMs);
    let toldAt = performance.now() + SLOW_CLOSE_MS;
    while (this.#exchanges.size > 0 && performance.now() < deadline) {
      if (performance.now() >= watchDeadline) for (const open of this.#exchanges) open.endEarly();
      if (performance.now() >= toldAt) {
        toldAt = Number.POSITIVE_INFINITY;
        const paths = [...this.#exchanges].map(
          ({ request }) => `${request.method} ${request.target}`,
        );
        logInfo("Waiting for requests to finish", { requests: paths.slice(0, 10).join(", ") });
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#deadlines.close();
    for (const { app } of this.#apps) app.close();
    this.#apps.clear();
    await new Promise((resolve) => setImmediate(resolve)); // aborted exchanges clean up
  }

  #createApp(tls: TlsMaterial): ServingApp {
    const app = createTlsApp(loadUws(), tls);
    const serving: ServingApp = {
      app,
      descriptor: app.getDescriptor(),
      connectionsCount: 0,
      retired: false,
    };
    this.#register(app);
    for (const name of tls.sni.flatMap(({ names }) => names)) this.#register(app.domain(name));
    const idleSeconds = Math.max(8, Math.round(this.#limits.idleTimeoutMs / 1000));
    app.setIdleTimeout(Math.min(idleSeconds, 240));
    app.setResponseTimeout(Math.min(idleSeconds, 240));
    app.filter((res, change) => this.#count(serving, res, Number(change)));
    this.#apps.add(serving);
    return serving;
  }

  #register(app: TemplatedApp): void {
    app.ws(
      "/*",
      watchSocket((res, req, context) => this.#start(res, req, context)),
    );
    app.any("/*", (res, req) => this.#start(res, req, undefined));
  }

  /** filter(1) comes before the TLS handshake: nothing is known of the client yet. */
  #count(serving: ServingApp, res: HttpResponse, change: number): void {
    serving.connectionsCount += change;
    if (change < 0) {
      this.#connections.closed(res);
      this.#closeIfUnused(serving);
      return;
    }
    this.#connections.opened(res);
    const total = [...this.#apps].reduce((sum, { connectionsCount }) => sum + connectionsCount, 0);
    if (total > this.#limits.connectionsMax) res.close();
  }

  #closeIfUnused(serving: ServingApp): void {
    if (!serving.retired || serving.connectionsCount > 0 || !this.#apps.has(serving)) return;
    setImmediate(() => {
      // Not inside a callback of the app itself; and a hand-over may still have been under way.
      if (serving.connectionsCount > 0 || !this.#apps.delete(serving)) return;
      serving.app.close();
    });
  }

  #start(res: HttpResponse, req: HttpRequest, socket: us_socket_context_t | undefined): void {
    const context: ExchangeContext = {
      serve: this.#config.serve,
      selectors: this.#config.selectors,
      limits: this.#limits,
      deadlines: this.#deadlines,
      connections: this.#connections,
      draining: this.#draining,
      finished: (exchange) => this.#exchanges.delete(exchange),
    };
    const exchange = new UwsExchange(res, context);
    this.#exchanges.add(exchange);
    exchange.start(req, socket);
  }
}
