/**
 * What runs beside the API in this process: the objects every cluster has, and with --standalone
 * the few controllers without which an API server alone is hard to use. In the main thread.
 * Upstream: pkg/controlplane (the hooks), cmd/kube-controller-manager (the rest).
 */
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { hostname } from "node:os";
import type { KvBackend } from "../storage/interfaces.ts";
import { ApiClient, type LoopbackConfig } from "./api-client.ts";
import { Definitions } from "./apiextensions/definitions.ts";
import { keepApiServices } from "./bootstrap/api-services.ts";
import { keepFlowSchemaStatus } from "./bootstrap/flow-schema-status.ts";
import { collectIdentityLeases, ensureIdentityLease } from "./bootstrap/identity-lease.ts";
import {
  ensureKubernetesService,
  ensureServiceCidr,
  type KubernetesServiceConfig,
  reconcileEndpoints,
} from "./bootstrap/kubernetes-service.ts";
import { MasterLeases } from "./bootstrap/master-leases.ts";
import {
  type ClusterAuthentication,
  ensureClusterAuthentication,
  ensureFlowControl,
  ensureLegacyTokenTracking,
  ensureNamespaces,
  ensurePriorityClasses,
} from "./bootstrap/objects.ts";
import type { hookNames } from "./hook-names.ts";
import { runElection } from "./leader-election.ts";
import { GarbageCollector } from "./standalone/garbage-collector.ts";
import { runNamespaces } from "./standalone/namespaces.ts";
import { runServiceAccounts } from "./standalone/service-accounts.ts";

export interface ControllersConfig {
  readonly loopback: LoopbackConfig;
  readonly service: KubernetesServiceConfig;
  readonly authentication: ClusterAuthentication;
  readonly standalone: boolean;
  /** PEM published as kube-root-ca.crt. */
  readonly rootCa: string;
  /** Undefined: this server is the only one it knows of. */
  readonly backend: KvBackend | undefined;
  readonly etcdPrefix: string;
  /** Finds leaked cluster IPs and node ports. */
  readonly repairServices: () => Promise<void>;
  /** RBAC's default roles; its own module, handed in. */
  readonly reconcileRbac?: (client: ApiClient) => Promise<void>;
  /** A post-start hook has finished; /readyz waits for all of hookNames. */
  readonly hookDone: (name: string, error?: Error) => void;
  readonly onError: (what: string, error: unknown) => void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const REPAIR_MS = 3 * MINUTE_MS;
const ENDPOINTS_MS = 10_000;
const IDENTITY_MS = 10_000;
const HOOK_RETRY_MS = 200;
const HOOK_TRIES_MAX = 150;

export class Controllers {
  readonly #config: ControllersConfig;
  readonly #client: ApiClient;
  readonly #stop = new AbortController();
  readonly #masters: MasterLeases | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(config: ControllersConfig) {
    this.#config = config;
    this.#client = new ApiClient(config.loopback);
    if (config.backend !== undefined) {
      this.#masters = new MasterLeases(config.backend, config.etcdPrefix);
    }
  }

  /** Runs the hooks, then repeats what upstream repeats. Resolves when every hook has finished. */
  async start(): Promise<void> {
    const { service, authentication } = this.#config;
    const client = this.#client;
    const now = () => new Date();
    await this.#hook("start-system-namespaces-controller", () => ensureNamespaces(client));
    await Promise.all([
      this.#hook("scheduling/bootstrap-system-priority-classes", () =>
        ensurePriorityClasses(client),
      ),
      this.#hook("priority-and-fairness-config-producer", () => ensureFlowControl(client)),
      this.#hook("rbac/bootstrap-roles", async () => this.#config.reconcileRbac?.(client)),
      this.#hook("start-cluster-authentication-info-controller", () =>
        ensureClusterAuthentication(client, authentication),
      ),
      this.#hook("start-legacy-token-tracking-controller", () =>
        ensureLegacyTokenTracking(client, now()),
      ),
      this.#hook("start-kube-apiserver-identity-lease-controller", () =>
        ensureIdentityLease(client, hostname(), now()),
      ),
      this.#hook("start-kubernetes-service-cidr-controller", () =>
        ensureServiceCidr(client, service, now()),
      ).then(() => this.#hook("bootstrap-controller", () => this.#publishService())),
    ]);
    await this.#hook("start-service-ip-repair-controllers", this.#config.repairServices);
    this.#every(REPAIR_MS, "service repair", this.#config.repairServices);
    this.#every(MINUTE_MS, "system namespaces", () => ensureNamespaces(client));
    this.#every(MINUTE_MS, "flow control", () => ensureFlowControl(client));
    this.#every(MINUTE_MS, "cluster authentication", () =>
      ensureClusterAuthentication(client, authentication),
    );
    this.#every(IDENTITY_MS, "identity lease", () =>
      ensureIdentityLease(client, hostname(), now()),
    );
    this.#every(ENDPOINTS_MS, "kubernetes endpoints", () => this.#publishService());
    if (this.#config.standalone) this.#standalone();
    await this.#afterReady();
  }

  /** What nobody waits for. */
  async #afterReady(): Promise<void> {
    const client = this.#client;
    const { onError } = this.#config;
    const options = { signal: this.#stop.signal, onError };
    setMaxListeners(0, this.#stop.signal); // every watch ends with it
    const collect = () => collectIdentityLeases(client, new Date());
    this.#every(HOUR_MS, "identity lease garbage collector", collect);
    const consumer = client.as("api-priority-and-fairness-config-consumer-v1");
    keepFlowSchemaStatus(consumer, options);
    try {
      const { groupOrder } = await import("../apis/schemas.ts");
      await keepApiServices(client, groupOrder(), {
        ...options,
        custom: this.#definitions(options),
      });
      await collect();
    } catch (error) {
      onError("after the start", error);
    }
  }

  #definitions(options: { signal: AbortSignal; onError: ControllersConfig["onError"] }) {
    const definitions = new Definitions(this.#client, options);
    return {
      *groupVersions() {
        for (const { spec } of definitions.all()) {
          for (const { name = "", served } of spec?.versions ?? []) {
            if (served === true) yield { group: spec?.group ?? "", version: name };
          }
        }
      },
      onChange: (listener: () => void) => definitions.onChange(listener),
    };
  }

  /** Leaves the endpoints of the `kubernetes` Service and hands the lease over. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stop.abort();
    const { advertiseAddress, securePort } = this.#config.service;
    try {
      await this.#masters?.remove(advertiseAddress);
      const left = (await this.#masters?.list()) ?? [];
      if (left.length > 0) await reconcileEndpoints(this.#client, left, securePort);
    } catch (error) {
      this.#config.onError("leaving the kubernetes endpoints", error);
    }
    this.#config.loopback.port.close();
  }

  async #publishService(): Promise<void> {
    const { service } = this.#config;
    await ensureKubernetesService(this.#client, service);
    await this.#masters?.renew(service.advertiseAddress);
    const alive = (await this.#masters?.list()) ?? [];
    const addresses = new Set([...alive, service.advertiseAddress]);
    // A host without any outside address: endpoints may not name a loopback one.
    if (/^(127\.|::1$)/.test(service.advertiseAddress)) return;
    await reconcileEndpoints(this.#client, [...addresses], service.securePort);
  }

  #standalone(): void {
    const { loopback, rootCa, onError } = this.#config;
    const client = new ApiClient(loopback, "kube-controller-manager/v1.36");
    void runElection(client, {
      leaseName: "kube-controller-manager",
      identity: `${hostname()}_${randomUUID()}`,
      signal: this.#stop.signal,
      onError,
      lead: (signal) => {
        setMaxListeners(0, signal); // one watch a resource ends with it
        runServiceAccounts(client, { rootCa, signal, onError });
        runNamespaces(client, { signal, onError });
        void new GarbageCollector(client, { signal, onError }).run();
      },
    });
  }

  /** Tries until it works: what a hook needs may be a moment late. */
  async #hook(name: (typeof hookNames)[number], work: () => Promise<void>): Promise<void> {
    for (let tries = 1; !this.#stop.signal.aborted; tries++) {
      try {
        await work();
        this.#config.hookDone(name);
        return;
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        if (tries % 10 === 0) this.#config.onError(`post-start hook ${name}`, failure);
        if (tries >= HOOK_TRIES_MAX) this.#config.hookDone(name, failure);
        await new Promise((resolve) => setTimeout(resolve, HOOK_RETRY_MS).unref());
      }
    }
  }

  #every(milliseconds: number, what: string, work: () => Promise<void>): void {
    let running = false;
    const timer = setInterval(() => {
      if (running) return;
      running = true;
      work()
        .catch((error: unknown) => this.#config.onError(what, error))
        .finally(() => {
          running = false;
        });
    }, milliseconds);
    timer.unref();
    this.#timers.push(timer);
  }
}
