/**
 * JSON patch (RFC 6902) as evanphx/json-patch v4 does it: negative indexes count from the end, a
 * replace may create a member, and a path need not begin with a slash.
 * Upstream: gopkg.in/evanphx/json-patch.v4 and apiserver/pkg/endpoints/handlers/patch.go.
 */
import { requestEntityTooLarge, StatusError } from "../../apimachinery/api/errors.ts";
import type { JsonObject, JsonValue } from "../../apimachinery/runtime/json.ts";
import type { FieldValidation } from "../../apimachinery/runtime/json-decode.ts";
import { setOwn } from "../../apimachinery/runtime/json-reader.ts";
import { canonicalJson } from "../fieldmanager/path-element.ts";
import { copy, equals } from "../fieldmanager/value.ts";
import { decodeJsonPatch, type Operation } from "./json-patch-body.ts";

export interface JsonPatchLimits {
  readonly operationsMax: number;
  /** Growth of the document by all `copy` operations together. */
  readonly copyBytesMax: number;
}
export const JSON_PATCH_LIMITS: JsonPatchLimits = {
  operationsMax: 10_000,
  copyBytesMax: 3 * 1024 * 1024,
};

export interface Patched {
  readonly document: JsonValue;
  /** For warnings or a refusal; always empty under `Ignore`. */
  readonly strictErrors: readonly string[];
  /** Whether an object of the document prints its members sorted, as patchedText asks. */
  readonly isSorted: (object: object) => boolean;
}

/**
 * The document with all operations applied. The argument is not written to; the result shares what
 * is unchanged with it, so it must not be written to either. Throws StatusError: 400
 * for a body that is no patch, 413 for too many operations, 422 for one that does not apply.
 */
export function applyJsonPatch(
  document: JsonValue,
  body: Uint8Array | string,
  fieldValidation: FieldValidation,
  limits: JsonPatchLimits = JSON_PATCH_LIMITS,
): Patched {
  const { patch, strictErrors } = decodeJsonPatch(body, fieldValidation);
  if (patch.length > limits.operationsMax) {
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${limits.operationsMax}, got ${patch.length}`,
    );
  }
  const run = new Run(document, limits.copyBytesMax);
  for (const operation of patch) run.apply(operation);
  return { document: run.document, strictErrors, isSorted: (object) => run.hasMade(object) };
}

/** Every failure to apply is this one answer. */
function doesNotApply(): StatusError {
  const message = "the server rejected our request due to an error in our request";
  return new StatusError("Invalid", message, { details: {} });
}

type Container = JsonObject | JsonValue[];

/** Where a path ends: the container, and the member in it. */
interface Target {
  readonly container: Container;
  readonly key: string;
}

class Run {
  document: JsonValue;
  #copyBytesLeft: number;
  /** Containers this run made, and may write to. */
  readonly #owned = new WeakSet<Container>();
  /** A value of the patch was written in a way this server would not write it. */
  #sawForeignForm = false;

  constructor(document: JsonValue, copyBytesMax: number) {
    this.document = document;
    this.#copyBytesLeft = copyBytesMax;
  }

  apply(operation: Operation): void {
    const { op, path, from } = operation;
    if (op === "add") this.#add(path, this.#valueOf(operation));
    else if (op === "remove") remove(this.#find(path));
    else if (op === "replace") this.#replace(operation);
    else if (op === "copy") this.#copy(operation);
    else if (op === "test") this.#test(operation);
    else if (op === "move") {
      const source = this.#find(from);
      const value = get(source);
      remove(source);
      this.#add(path, value ?? null);
    } else throw doesNotApply();
  }

  /** Whether a path of the patch went through the container. */
  hasMade(container: object): boolean {
    return this.#owned.has(container as Container);
  }

  #valueOf({ value, isForeign }: Operation): JsonValue {
    this.#sawForeignForm ||= isForeign;
    return value ?? null;
  }

  #add(path: string | undefined, value: JsonValue): void {
    const { container, key } = this.#find(path);
    if (!Array.isArray(container)) {
      setOwn<JsonValue | undefined>(container, key, value);
      return;
    }
    const size = container.length + 1;
    const index = key === "-" ? container.length : indexIn(key, size);
    container.splice(index, 0, value);
  }

  #replace(operation: Operation): void {
    const value = this.#valueOf(operation);
    if (operation.path === "") {
      if (typeof value !== "object" || value === null) throw doesNotApply();
      this.document = value;
      return;
    }
    set(this.#find(operation.path), value);
  }

  #copy({ from, path }: Operation): void {
    const value = get(this.#find(from)) ?? null;
    this.#find(path);
    this.#copyBytesLeft -= value === null ? 0 : Buffer.byteLength(canonicalJson(value));
    if (this.#copyBytesLeft < 0) throw doesNotApply();
    this.#add(path, copy(value) as JsonValue);
  }

  /** Scalars must be equal as they are written: upstream compares their bytes. */
  #test({ path, value, isForeign }: Operation): void {
    const found = path === "" ? this.document : get(this.#find(path));
    const isSameForm = !isForeign || this.#sawForeignForm;
    if (!isSameForm || !equals(found ?? null, value ?? null)) throw doesNotApply();
  }

  /** Where the path ends. The containers on the way become this run's own. */
  #find(path: string | undefined): Target {
    const parts = path?.split("/") ?? [];
    if (parts.length < 2) throw doesNotApply();
    let container = this.#own(this.document);
    this.document = container;
    for (let i = 1; i < parts.length - 1; i++) {
      const target = { container, key: decodeKey(parts[i] ?? "") };
      const next = this.#own(get(target) ?? null);
      set(target, next);
      container = next;
    }
    return { container, key: decodeKey(parts[parts.length - 1] ?? "") };
  }

  /** A container this run may write to: the value itself, or a shallow copy of it. */
  #own(value: JsonValue): Container {
    if (!isContainer(value)) throw doesNotApply();
    if (this.#owned.has(value)) return value;
    const own = Array.isArray(value) ? [...value] : { ...value };
    this.#owned.add(own);
    return own;
  }
}

function isContainer(value: JsonValue): value is Container {
  return typeof value === "object" && value !== null;
}

function decodeKey(part: string): string {
  return part.replace(/~[01]/g, (token) => (token === "~1" ? "/" : "~"));
}

/** A list's index; from -size to size - 1. */
function indexIn(key: string, size: number): number {
  if (!/^[+-]?\d{1,15}$/.test(key)) throw doesNotApply();
  const index = Number(key);
  if (index >= size || index < -size) throw doesNotApply();
  return index < 0 ? index + size : index;
}

/** The value at the target; undefined for a member that an object does not have. */
function get({ container, key }: Target): JsonValue | undefined {
  if (Array.isArray(container)) return container[indexIn(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function set({ container, key }: Target, value: JsonValue): void {
  if (Array.isArray(container)) container[indexIn(key, container.length)] = value;
  else setOwn<JsonValue | undefined>(container, key, value);
}

function remove({ container, key }: Target): void {
  if (Array.isArray(container)) {
    container.splice(indexIn(key, container.length), 1);
    return;
  }
  if (!Object.hasOwn(container, key)) throw doesNotApply();
  delete container[key];
}
