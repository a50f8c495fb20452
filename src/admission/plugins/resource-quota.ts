/**
 * A namespace uses no more than its ResourceQuotas grant, however many ask at the same moment: a
 * quota's status is charged, compare and swap, before the object is stored.
 * Upstream: apiserver/pkg/admission/plugin/resourcequota.
 */
import { conflict, internalError, OPTIMISTIC_LOCK_MESSAGE } from "../../apimachinery/api/errors.ts";
import type { GroupResource } from "../../apimachinery/runtime/gvk.ts";
import type { ResourceQuota } from "../../apis/core/v1/types.ts";
import type {
  AdmissionPlugin,
  Attributes,
  DeepReadonly,
  Listers,
  ObjectWriter,
} from "../plugin.ts";
import {
  checkRequest,
  type LimitedResource,
  type RunningQuota,
  runningQuota,
} from "../quota/check.ts";
import type { QuotaEvaluator } from "../quota/evaluator.ts";
import { evaluatorOf } from "../quota/evaluators.ts";
import { equalLists, resourceTexts } from "../resource-list.ts";

const QUOTAS = { group: "", resource: "resourcequotas" };
/**
 * Upstream tries three times: there one server is one process. Here each front thread charges for
 * itself, so a quota under load is fought over by as many writers as there are threads.
 */
const TRIES_MAX = 24;
const RETRY_DELAY_MS = 3;
const TIMEOUT_MS = 10_000;
/** Quotas this thread charged lately, which its cache may not show yet. */
const CHARGED_MAX = 1000;
/** Reviews are not stored, and events are too many. */
const IGNORED = new Set([
  "/events",
  "events.k8s.io/events",
  "/bindings",
  "/componentstatuses",
  "authentication.k8s.io/tokenreviews",
  "authorization.k8s.io/subjectaccessreviews",
  "authorization.k8s.io/selfsubjectaccessreviews",
  "authorization.k8s.io/localsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectrulesreviews",
]);

export interface ResourceQuotaOptions {
  readonly gate: (name: string) => boolean;
  /** Resources that nobody gets without a quota that covers them. */
  readonly limitedResources?: readonly LimitedResource[];
  readonly now?: () => number;
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

type Request = DeepReadonly<Attributes>;

interface Waiter {
  readonly attributes: Request;
  readonly evaluator: QuotaEvaluator;
  settle(error?: unknown): void;
}

export function resourceQuota(
  listers: Listers,
  writer: ObjectWriter,
  options: ResourceQuotaOptions,
): AdmissionPlugin {
  const charger = new QuotaCharger(listers, writer, options);
  const evaluators = new Map<string, QuotaEvaluator>();
  const evaluatorFor = (of: GroupResource) => {
    const key = `${of.group}/${of.resource}`;
    const known = evaluators.get(key);
    if (known !== undefined) return known;
    const made = evaluatorOf(of, { gate: options.gate, now: options.now ?? Date.now });
    evaluators.set(key, made);
    return made;
  };
  return {
    name: "ResourceQuota",

    handles({ operation, namespace, resource }) {
      if (operation !== "CREATE" && operation !== "UPDATE") return false;
      const isNamespace = resource.group === "" && resource.resource === "namespaces";
      if (namespace === "" || isNamespace) return false;
      return !IGNORED.has(`${resource.group}/${resource.resource}`);
    },

    async validate(attributes) {
      const evaluator = evaluatorFor(attributes.resource);
      if (!evaluator.handles(attributes)) return;
      if (await charger.isFree(attributes.namespace)) return;
      await charger.charge(attributes, evaluator);
    },
  };
}

/** Charges a namespace's requests in batches: those that come while one is written go together. */
class QuotaCharger {
  readonly #listers: Listers;
  readonly #writer: ObjectWriter;
  readonly #limited: readonly LimitedResource[];
  readonly #sleep: (milliseconds: number) => Promise<void>;
  /** A namespace is here while its batch runs, with those that wait for the next. */
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #charged = new Map<string, ResourceQuota>();

  constructor(listers: Listers, writer: ObjectWriter, options: ResourceQuotaOptions) {
    this.#listers = listers;
    this.#writer = writer;
    this.#limited = options.limitedResources ?? [];
    this.#sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /** Nothing is counted in the namespace, and nothing needs to be. */
  async isFree(namespace: string): Promise<boolean> {
    if (this.#limited.length > 0) return false;
    return (await this.#listers.list(QUOTAS, namespace)).length === 0;
  }

  /** Resolves once the request is paid for; rejects with the refusal. */
  charge(attributes: Request, evaluator: QuotaEvaluator): Promise<void> {
    return new Promise((resolve, reject) => {
      const tooLate = setTimeout(
        () => reject(internalError("resource quota evaluation timed out")),
        TIMEOUT_MS,
      );
      const settle = (error?: unknown) => {
        clearTimeout(tooLate);
        if (error === undefined) resolve();
        else reject(error);
      };
      const waiter = { attributes, evaluator, settle };
      const waiting = this.#waiting.get(attributes.namespace);
      if (waiting !== undefined) waiting.push(waiter);
      else void this.#run(attributes.namespace, [waiter]);
    });
  }

  async #run(namespace: string, first: readonly Waiter[]): Promise<void> {
    this.#waiting.set(namespace, []);
    let batch = first;
    while (batch.length > 0) {
      try {
        const quotas = await this.#quotasOf(namespace);
        await this.#chargeBatch(namespace, quotas, batch);
      } catch (error) {
        for (const { settle } of batch) settle(error);
      }
      batch = this.#waiting.get(namespace) ?? [];
      this.#waiting.set(namespace, []);
    }
    this.#waiting.delete(namespace);
  }

  /** From the cache, or as this thread last wrote them where that is newer. */
  async #quotasOf(namespace: string): Promise<ResourceQuota[]> {
    const listed = await this.#listers.list<ResourceQuota>(QUOTAS, namespace);
    return listed.map((quota) => {
      const key = `${namespace}/${quota.metadata?.name}`;
      const own = this.#charged.get(key);
      if (own === undefined) return quota;
      if (own.metadata?.uid === quota.metadata?.uid && versionOf(own) > versionOf(quota))
        return own;
      this.#charged.delete(key);
      return quota;
    });
  }

  async #chargeBatch(
    namespace: string,
    stored: readonly ResourceQuota[],
    batch: readonly Waiter[],
  ): Promise<void> {
    let quotas = stored.map(runningQuota);
    let waiters = batch;
    for (let tries = 1; ; tries++) {
      const before = quotas;
      const checked = this.#check(before, waiters);
      waiters = checked.waiters;
      if (waiters.length === 0) return;
      const failed = await this.#write(namespace, before, checked.quotas);
      if (failed.length === 0) {
        for (const { settle } of waiters) settle();
        return;
      }
      if (tries >= TRIES_MAX) {
        const error = conflict(QUOTAS, failed[0] ?? "", OPTIMISTIC_LOCK_MESSAGE);
        for (const { settle } of waiters) settle(error);
        return;
      }
      await this.#sleep(Math.random() * RETRY_DELAY_MS * Math.min(tries, 8));
      // Only those that could not be charged are asked again: the others have been paid.
      quotas = await this.#fresh(namespace, failed);
    }
  }

  /** Settles the refused and those that cost nothing; returns who waits for the write. */
  #check(before: readonly RunningQuota[], batch: readonly Waiter[]) {
    let quotas = before;
    const waiters: Waiter[] = [];
    for (const waiter of batch) {
      const { attributes, evaluator, settle } = waiter;
      try {
        const after = checkRequest(quotas, attributes, evaluator, this.#limited);
        const costs = after.some(
          (one, i) => one !== quotas[i] && !equalLists(one.used, quotas[i]?.used ?? new Map()),
        );
        if (attributes.dryRun || !costs) {
          settle();
          continue;
        }
        quotas = after;
        waiters.push(waiter);
      } catch (error) {
        settle(error);
      }
    }
    return { quotas, waiters };
  }

  /** Writes every quota that changed; returns the names of those another writer was faster at. */
  async #write(
    namespace: string,
    before: readonly RunningQuota[],
    after: readonly RunningQuota[],
  ): Promise<string[]> {
    const failed: string[] = [];
    for (const [i, { quota, used }] of after.entries()) {
      if (used === before[i]?.used) continue;
      const name = quota.metadata?.name ?? "";
      const next = { ...quota, status: { ...quota.status, used: resourceTexts(used) } };
      const written = await this.#writer.replace<ResourceQuota>(QUOTAS, next);
      const key = `${namespace}/${name}`;
      this.#charged.delete(key);
      if (written === undefined) failed.push(name);
      else this.#charged.set(key, written);
    }
    for (const key of this.#charged.keys()) {
      if (this.#charged.size <= CHARGED_MAX) break;
      this.#charged.delete(key);
    }
    return failed;
  }

  /** A quota that is gone by now grants nothing and takes nothing. */
  async #fresh(namespace: string, names: readonly string[]): Promise<RunningQuota[]> {
    const found = await Promise.all(
      names.map((name) => this.#listers.getFresh<ResourceQuota>(QUOTAS, namespace, name)),
    );
    return found.filter((quota) => quota !== undefined).map(runningQuota);
  }
}

function versionOf({ metadata }: ResourceQuota): number {
  return Number(metadata?.resourceVersion ?? "0");
}
