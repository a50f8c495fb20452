/**
 * Brings CustomResourceDefinitions from their creation to their end: names are accepted, conditions
 * set, APIServices registered, and with a definition its objects go.
 * Upstream: apiextensions-apiserver/pkg/controller/{status,establish,finalizer,apiapproval,
 * nonstructuralschema}.
 */

import { type Definition, isTrue } from "../../apiextensions/definition.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../apimachinery/validation/equality.ts";
import { CLEANUP_FINALIZER } from "../../apis/apiextensions/finalizers.ts";
import { type ApiClient, isConflict, isNotFound } from "../api-client.ts";
import { Informer } from "../informer.ts";
import { WorkQueue } from "../work-queue.ts";
import {
  approvalOf,
  conditionOf,
  isEquivalent,
  nonStructural,
  removeCondition,
  setCondition,
} from "./conditions.ts";
import { deleteInstances } from "./instances.ts";
import { namingOf } from "./names.ts";

const COLLECTION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Names are decided one after the other; objects of several definitions are deleted at a time. */
const FINALIZER_WORKERS = 5;

export interface DefinitionsOptions {
  readonly signal: AbortSignal;
  readonly onError: (what: string, error: unknown) => void;
  readonly now?: () => Date;
}

export class Definitions {
  readonly #client: ApiClient;
  readonly #options: DefinitionsOptions;
  readonly #known = new Map<string, Definition>();
  readonly #names: WorkQueue;
  readonly #finalizer: WorkQueue;
  readonly synced: Promise<void>;
  readonly #listeners: (() => void)[] = [];

  constructor(client: ApiClient, options: DefinitionsOptions) {
    this.#client = client;
    this.#options = options;
    const { signal, onError } = options;
    const failed = (key: string, error: unknown) => onError(`definition ${key}`, error);
    const queue = { signal, onError: failed };
    this.#names = new WorkQueue((key) => this.#sync(key), {
      ...queue,
      name: "crd_naming_condition_controller",
      workers: 1,
    });
    this.#finalizer = new WorkQueue((key) => this.#finalize(key), {
      ...queue,
      name: "crd_finalizer",
      workers: FINALIZER_WORKERS,
    });
    const handlers = {
      onChange: (object: Definition) => this.#changed(object),
      onDelete: (object: Definition) => this.#deleted(object),
    };
    const informer = new Informer(client, COLLECTION, handlers, { metadataOnly: false, signal });
    this.synced = informer.synced;
  }

  all(): Iterable<Definition> {
    return this.#known.values();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #changed(object: Definition): void {
    const name = object.metadata?.name ?? "";
    this.#remember(name, object);
    this.#names.add(name);
    const { deletionTimestamp, finalizers = [] } = object.metadata ?? {};
    if (deletionTimestamp !== undefined && finalizers.includes(CLEANUP_FINALIZER)) {
      this.#finalizer.add(name);
    }
    for (const listener of this.#listeners) listener();
  }

  #remember(name: string, object: Definition): void {
    const known = this.#known.get(name);
    const isOlder =
      known?.metadata?.uid === object.metadata?.uid &&
      Number(known?.metadata?.resourceVersion) > Number(object.metadata?.resourceVersion);
    if (!isOlder) this.#known.set(name, object);
  }

  #deleted(object: Definition): void {
    const name = object.metadata?.name ?? "";
    this.#known.delete(name);
    this.#nudgeOthers(object);
    for (const listener of this.#listeners) listener();
  }

  /** Others of the group may have waited for the names of this one. */
  #nudgeOthers({ spec, metadata }: Definition): void {
    for (const [name, other] of this.#known) {
      if (other.spec?.group !== spec?.group || name === metadata?.name) continue;
      if (!isTrue(other, "NamesAccepted")) this.#names.add(name);
    }
  }

  async #sync(name: string): Promise<void> {
    const found = this.#known.get(name);
    if (found === undefined) return;
    const next = structuredClone(found);
    this.#setConditions(next);
    if (semanticDeepEqual(next.status, found.status)) return;
    const isFreed = !semanticDeepEqual(next.status?.acceptedNames, found.status?.acceptedNames);
    if ((await this.#update(next)) && isFreed) this.#nudgeOthers(next);
  }

  #setConditions(definition: Definition): void {
    const now = this.#now();
    const set = (condition: Parameters<typeof setCondition>[1]) => {
      if (!isEquivalent(condition, conditionOf(definition, condition.type ?? ""))) {
        setCondition(definition, condition, now);
      }
    };
    const { spec, status } = definition;
    if (!semanticDeepEqual(spec?.names, status?.acceptedNames)) {
      const group = [...this.#known.values()].filter((one) => one.spec?.group === spec?.group);
      const { names, condition } = namingOf(definition, group);
      definition.status = { ...status, acceptedNames: names };
      set(condition);
    }
    if (!isTrue(definition, "Established")) set(established(definition));
    const structure = nonStructural(definition);
    if (structure !== undefined) set(structure);
    else if (conditionOf(definition, "NonStructuralSchema") !== undefined) {
      removeCondition(definition, "NonStructuralSchema");
    }
    const approval = approvalOf(definition);
    if (approval !== undefined) set(approval);
  }

  async #finalize(name: string): Promise<void> {
    const found = this.#known.get(name);
    const { deletionTimestamp, finalizers = [] } = found?.metadata ?? {};
    if (found === undefined || deletionTimestamp === undefined) return;
    if (!finalizers.includes(CLEANUP_FINALIZER)) return;
    const begun = structuredClone(found);
    const terminating = { type: "Terminating", status: "True" };
    const reason = "InstanceDeletionInProgress";
    const message = "CustomResource deletion is in progress";
    setCondition(begun, { ...terminating, reason, message }, this.#now());
    const current = await this.#update(begun);
    if (current === undefined) return; // its event comes
    const { condition, error } = await this.#clean(current);
    setCondition(current, condition, this.#now());
    if (error === undefined && current.metadata !== undefined) {
      current.metadata.finalizers = (current.metadata.finalizers ?? []).filter(
        (one) => one !== CLEANUP_FINALIZER,
      );
    }
    await this.#update(current);
    if (error !== undefined) throw error;
  }

  async #clean(definition: Definition): ReturnType<typeof deleteInstances> {
    const { group, names } = definition.spec ?? {};
    const resource = `${names?.plural ?? ""}.${group ?? ""}`;
    const isBuiltIn =
      resource === "apiservices.apiregistration.k8s.io" ||
      resource === "customresourcedefinitions.apiextensions.k8s.io";
    const done = { type: "Terminating", status: "False" };
    if (isBuiltIn) {
      const message = "instances overlap with built-in resources in storage";
      return { condition: { ...done, reason: "OverlappingBuiltInResource", message } };
    }
    if (!isTrue(definition, "Established")) {
      const message = "resource was never established";
      return { condition: { ...done, reason: "NeverEstablished", message } };
    }
    return deleteInstances(this.#client, definition, this.#options.signal);
  }

  /** The definition as written; undefined when somebody else was faster. */
  async #update(definition: Definition): Promise<Definition | undefined> {
    const name = definition.metadata?.name ?? "";
    try {
      const path = `${COLLECTION}/${name}/status`;
      const written = await this.#client.update<Definition>(path, definition as KubeObject);
      if (this.#known.has(name)) this.#remember(name, written);
      return written;
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return undefined;
      throw error;
    }
  }

  #now(): string {
    return `${(this.#options.now?.() ?? new Date()).toISOString().slice(0, 19)}Z`;
  }
}

function established(definition: Definition) {
  const type = "Established";
  if (!isTrue(definition, "NamesAccepted")) {
    const message = "not all names are accepted";
    return { type, status: "False", reason: "NotAccepted", message };
  }
  const message = "the initial names have been accepted";
  return { type, status: "True", reason: "InitialNamesAccepted", message };
}
