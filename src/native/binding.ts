/**
 * The addon's only declaration in TypeScript, in the only file that loads it. Its state is
 * process-wide: every thread that imports this sees the same resources and records. Unless a call
 * says otherwise: arrays and strings are borrowed until return and not kept; any thread may call;
 * nothing throws but for arguments of the wrong type. Rules: docs/SHARED-MEMORY.md.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Brand } from "../apimachinery/brand.ts";
import type { FieldRequirement } from "../apimachinery/fields/selector.ts";
import type { LabelRequirement } from "../apimachinery/labels/selector.ts";
import { defaultRules } from "./default-rules.ts";

export type ResourceId = Brand<number, "ResourceId">;
export type ListId = Brand<number, "ListId">;
export type WatchId = Brand<number, "WatchId">;

/** Indexed as native/core/encoding.h. */
export const EncodingCode = {
  json: 0,
  protobuf: 1,
  "metadata-json": 2,
  "metadata-protobuf": 3,
} as const;
export type EncodingCode = (typeof EncodingCode)[keyof typeof EncodingCode];

/** Indexed as native/core/event.h. */
export const EventCode = { ADDED: 0, MODIFIED: 1, DELETED: 2, BOOKMARK: 3, ERROR: 4 } as const;

/** Negative results, as native/core/status.h. */
export const NativeError = {
  /** The bytes are not what the resource's media type says, or too deep, or cut off. */
  badValue: -1,
  /** No such resource, list or watch (or it was dropped). */
  notFound: -2,
  /** The revision asked for is older than the history kept. */
  expired: -3,
  /** The revision asked for is newer than the cache. */
  tooNew: -4,
  /** The type has no protobuf form (custom resources). */
  noProtobuf: -5,
  /** The resource is being filled for the first time. */
  notReady: -6,
  /** A value of another apiVersion than the resource's. */
  otherVersion: -7,
  /** The value lacks what defaulting would fill in. */
  incomplete: -8,
} as const;

export interface ResourceConfig {
  /** `pods`, `deployments.apps`: the name that opens the same resource in every thread. */
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** `k8s.io/api/core/v1.Pod`; "" for custom resources, which are served as they are stored. */
  readonly goName: string;
  readonly namespaced: boolean;
  /** Selectable fields beyond metadata.name and metadata.namespace, each also an index. */
  readonly fieldPaths: readonly string[];
  /** History kept at least, in ms, while the bounds below allow. Default 75,000. */
  readonly historyMs?: number;
  /** Bounds of the event ring. Default 102,400 events and 256 MB. */
  readonly maxEvents?: number;
  readonly maxRingBytes?: number;
}

export interface Selection {
  readonly namespace?: string;
  readonly name?: string;
  readonly labels?: readonly LabelRequirement[];
  readonly fields?: readonly FieldRequirement[];
  /** Selects nothing. */
  readonly nothing?: boolean;
}

export interface ListOptions extends Selection {
  /** First key of the page, relative to the resource's prefix. */
  readonly startKey?: string;
  /** 0 or absent: everything. */
  readonly limit?: number;
  /** Exactly this revision. Absent: the newest the cache has. */
  readonly revision?: number;
}
export interface ListInfo {
  readonly id: ListId;
  readonly revision: number;
  readonly count: number;
  /** undefined on the last page; else the last key and a NUL, as upstream's tokens have it. */
  readonly nextKey: string | undefined;
  /** Undefined with selectors and on the last page. */
  readonly remaining: number | undefined;
}

export interface WatchOptions extends Selection {
  /**
   * state: ADDED for what exists, then changes. initial: the same with the initial-events-end
   * bookmark between. after: changes after `revision`. now: changes after the cache's revision.
   */
  readonly from: "state" | "initial" | "after" | "now";
  readonly revision?: number;
  readonly encoding: EncodingCode;
  /** Whether watchBookmark() reaches this watch. */
  readonly bookmarks: boolean;
}

export interface ResourceStats {
  readonly revision: number;
  readonly objects: number;
  /** Bytes of all living records, both encodings: current ones, and those that ring or readers hold. */
  readonly recordBytes: number;
  /** Of all resources of the process together. */
  readonly indexBytes: number;
  /** Bytes only the ring keeps alive: previous records, deletions, slots. */
  readonly ringBytes: number;
  readonly ringEvents: number;
  /** The oldest revision that watches may continue after. */
  readonly oldestRevision: number;
  readonly watches: number;
}

/** Why the pump let go of a watch. */
export type PumpEnd = "ended" | "expired" | "dropped";

export interface PumpStats {
  readonly writes: number;
  readonly bytes: number;
  readonly events: number;
  readonly blocked: number;
}

export interface NativeBinding {
  // --- types and transcoding -----------------------------------------------------------------
  /**
   * Reads types.generated.json's bytes and the rules of default-rules.ts; the first call of the
   * process wins. Returns structs, 0 for what does not fit together.
   */
  loadTypes(json: Uint8Array, defaults: Uint8Array): number;
  /**
   * `value` is a k8s\0 envelope, or a bare message. Writes Go's JSON of it, with kind, apiVersion
   * (when kind is not "") and resourceVersion (when not ""). Returns bytes, -needed - 100 when
   * `target` is too small, or a NativeError: with `complete` also otherVersion and incomplete.
   */
  protoToJson(
    goName: string,
    kind: string,
    apiVersion: string,
    resourceVersion: string,
    value: Uint8Array,
    target: Uint8Array,
    complete?: boolean,
  ): number;
  /** 0, otherVersion or incomplete for compact JSON of a built-in type from the store. */
  jsonIsComplete(goName: string, apiVersion: string, json: Uint8Array): number;
  /**
   * Encodes JSON as protobuf; with `envelope` as k8s\0 with kind and apiVersion of the arguments.
   * resourceVersion as given ("" drops it, as storage wants). Results as protoToJson.
   */
  jsonToProto(
    goName: string,
    kind: string,
    apiVersion: string,
    resourceVersion: string,
    value: Uint8Array,
    target: Uint8Array,
    envelope: boolean,
  ): number;

  // --- writer: one thread per resource --------------------------------------------------------
  /** Opens, or finds by name. Readers of other threads open with the same config. */
  openResource(config: ResourceConfig): ResourceId;
  /** Starts the first fill, or a re-list: what is not put again before commit is gone. */
  beginFill(resource: ResourceId): number;
  /**
   * A key-value of the list. 0 or badValue (the object is left out); with `complete`, also
   * otherVersion or incomplete: put it again as a present server would have written it.
   */
  fillPut(
    resource: ResourceId,
    key: string,
    revision: number,
    value: Uint8Array,
    complete?: boolean,
  ): number;
  /** Ends the fill at the list's revision; differences become events. Returns their number. */
  commitFill(resource: ResourceId, revision: number): number;
  /**
   * A change from the store's watch, in order. `more`: another event of the same revision follows
   * and readers see neither before it. badValue for a PUT removes the key, if it was there.
   * `complete` as for fillPut; nothing happens then.
   */
  applyPut(
    resource: ResourceId,
    key: string,
    revision: number,
    value: Uint8Array,
    more: boolean,
    complete?: boolean,
  ): number;
  applyDelete(resource: ResourceId, key: string, revision: number, more: boolean): number;
  /** Nothing is missing up to `revision`. */
  applyProgress(resource: ResourceId, revision: number): number;
  /** Ends the resource: its watches end as dropped, its memory goes when readers let go. */
  dropResource(resource: ResourceId): void;
  stats(resource: ResourceId): ResourceStats | undefined;

  // --- reads ------------------------------------------------------------------------------------
  /** 0 before the first commitFill. */
  revision(resource: ResourceId): number;
  count(resource: ResourceId): number;
  /**
   * Copies an object as GET answers it (kind and apiVersion in, no newline; protobuf with its
   * envelope). Returns bytes, 0 when missing, -needed - 100 when `target` is too small, or a
   * NativeError. lastRevision() then tells the object's resourceVersion.
   */
  get(resource: ResourceId, key: string, encoding: EncodingCode, target: Uint8Array): number;
  /** The resourceVersion of this thread's last successful get, listItem or watchNext. */
  lastRevision(): number;
  /** Calls back on this thread, at most once per wake-up, after the revision moved. One each. */
  onAdvance(resource: ResourceId, callback: (() => void) | undefined): void;

  // --- lists: a handle belongs to the thread that opened it; listClose frees the snapshot -------
  listOpen(resource: ResourceId, options: ListOptions): ListInfo | number;
  /**
   * Makes the items' protobuf forms where nobody has wanted them yet, from up to `most` bytes of
   * JSON (200 MB/s) and at least one item, so that listDocument does not keep the loop for long;
   * returns how many items are left. 0 for JSON at once.
   */
  listPrepare(list: ListId, encoding: EncodingCode, most: number): number;
  /**
   * Starts (or restarts) the document. `kind` is the list's kind (ignored by metadata encodings).
   * Returns the whole length in bytes, or a NativeError.
   */
  listDocument(
    list: ListId,
    encoding: EncodingCode,
    kind: string,
    apiVersion: string,
    continueToken: string,
  ): number;
  /** Writes the next part; 0 at the end. Any target size works; 64 KB is good. */
  listRead(list: ListId, target: Uint8Array): number;
  /** The i-th item's JSON as GET has it. Returns as get. */
  listItem(list: ListId, index: number, encoding: EncodingCode, target: Uint8Array): number;
  /** Its key, relative to the resource's prefix. */
  listItemKey(list: ListId, index: number): string;
  listClose(list: ListId): void;

  // --- watches: belong to the thread that opened them -------------------------------------------
  watchOpen(resource: ResourceId, options: WatchOptions): WatchId | number;
  /**
   * For consumers in JS: writes whole frames (JSON lines, or length-prefixed WatchEvents) that are
   * ready, without HTTP chunks. Returns bytes, 0 when there is none, -needed - 100 when `target`
   * can not hold the next one, expired (once; watchError has the message), notFound when dropped.
   */
  watchRead(watch: WatchId, target: Uint8Array): number;
  /**
   * One event's object JSON into target; as watchRead otherwise. watchNextType() is its EventCode
   * and lastRevision() its revision.
   */
  watchNext(watch: WatchId, target: Uint8Array): number;
  watchNextType(): number;
  /** Calls back on this thread when watchRead may have something; at most once per wake-up. */
  onReadable(watch: WatchId, callback: () => void): void;
  /** The revision up to which the watch has been given everything. */
  watchRevision(watch: WatchId): number;
  /** `too old resource version: 5 (9)` after an expired. */
  watchError(watch: WatchId): string;
  /** Sends a bookmark at the cache's revision if the watch asked for them and has caught up. */
  watchBookmark(watch: WatchId): void;
  watchClose(watch: WatchId): void;

  // --- the pump: from the ring to uWS sockets, no JS per event ----------------------------------
  /** Finds the us_* symbols in the loaded uWS binary. False: use watchRead and res.write. */
  pumpInit(uwsBinaryPath: string): boolean;
  /** Called on this thread when the pump let go of a watch; JS then ends the response. */
  onPumpEnd(callback: (watch: WatchId, why: PumpEnd) => void): void;
  /**
   * Gives the watch's events to the connection of `res` from now on. `head` is sent first. Call
   * outside of res.cork. See src/native/pump.ts for the whole protocol with uWS.
   */
  pumpAttach(watch: WatchId, res: object, ssl: boolean, head: Uint8Array): number;
  /** From res.onWritable: tries again what the socket did not take. */
  pumpResume(watch: WatchId): void;
  /** Ends the watch after what is pending (timeout): onPumpEnd says "ended". */
  pumpEnd(watch: WatchId): void;
  /** This thread's pump since its start: writes, how many the socket cut short, and what went out. */
  pumpStats(): PumpStats;
  /** A number that stands for the connection of `res` while it is open; 0 without the pump. */
  socketKey(res: object): number;

  // --- client certificates: as presented, for authentication to judge -----------------------------
  /**
   * Makes a uWS SSLApp (by its getDescriptor) take any client certificate, for
   * takeClientCertificates to read. False: the app verifies in the handshake, as uWS does. It needs
   * `passphrase` and `ca_file_name`, and the pump's symbols.
   */
  collectClientCertificates(descriptor: number): boolean;
  /** PEM, leaf first, of what the client of `res` presented; "" for none and when asked again. */
  takeClientCertificates(res: object): string;
  /** The connection of `res` is gone. */
  forgetClientCertificates(res: object): void;

  // --- memory that is free ------------------------------------------------------------------------
  /**
   * True: V8 collects this thread's heap in small steps and gives what is free back. False: as
   * usual again. Returns whether this Node can do that.
   */
  memoryPressure(isHigh: boolean): boolean;
  /**
   * Gives back what malloc holds free, and the pages of a file that is mapped for sharing ("": of
   * none). Takes a millisecond for each few megabytes.
   */
  releaseMemory(mappedFile: string): void;
}

/** The project's root, from src/native or from a bundle in dist. */
function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  return folder;
}

function load(): NativeBinding {
  const path = join(projectRoot(), "build", "Release", "klystron.node");
  if (!existsSync(path)) throw new Error(`${path} is missing: run node scripts/build-native.mjs`);
  return createRequire(import.meta.url)(path) as NativeBinding;
}

export const native: NativeBinding = load();

const TYPES = join("src", "apis", "generated", "types.generated.json");
const RULES = Buffer.from(defaultRules());
if (native.loadTypes(readFileSync(join(projectRoot(), TYPES)), RULES) === 0) {
  throw new Error("the rules of defaults do not fit the types");
}
