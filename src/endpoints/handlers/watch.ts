/**
 * WATCH: a cursor into the cache's ring as a stream of events. JSON and protobuf of the storage
 * version come as frames that the cache built once for all; everything else is built here.
 * Upstream: handlers/watch.go.
 */
import * as api from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { JsonObject } from "../../apimachinery/runtime/json.ts";
import { encodeJson } from "../../apimachinery/runtime/json-encode.ts";
import { decodeStored } from "../../registry/generic/object-codec.ts";
import { servesStorageVersion } from "../../registry/generic/served-resource.ts";
import { interpreted, storageOf } from "../../registry/generic/store.ts";
import type { AuthorizedRequest, Response, WatchResponse } from "../../request/request.ts";
import type {
  Encoding,
  WatchCursor,
  WatchEvent,
  WatchFrom,
  WatchRequest,
} from "../../storage/interfaces.ts";
import { asRevision } from "../../storage/interfaces.ts";
import { namespaceOf, type RequestScope } from "../api-context.ts";
import type { Negotiated } from "../negotiation.ts";
import { JSON_TYPE, negotiate, PROTOBUF_TYPE } from "../negotiation.ts";
import { type ListOptions, resourceVersionError } from "../options.ts";
import { holdsMetadata, partialMetadata } from "../partial-metadata.ts";
import { goJson } from "../respond.ts";
import { scopeOf } from "../selection.ts";
import { tableOfObjects } from "../table.ts";
import { protobufFrame } from "../watch-frame.ts";
import { watchMediaTypesOf } from "./media-types.ts";

/** Events taken from a cursor at a time where frames are built here. */
const EVENTS_PER_READ = 64;
const BOOKMARK_INTERVAL_MS = 60_000;
const BOOKMARK_BEFORE_END_MS = 2_000;
const WATCH_TRANSFORMATIONS = ["Table", "PartialObjectMetadata"] as const;

export function watchResource(scope: RequestScope) {
  const { resource } = scope;
  const offer = {
    mediaTypes: watchMediaTypesOf(resource),
    transformations: WATCH_TRANSFORMATIONS,
    streaming: true,
  };
  return async (request: AuthorizedRequest, options: ListOptions): Promise<Response> => {
    const negotiated = negotiate(request, offer);
    const from = watchFromOf(options);
    const namespace = namespaceOf(request, resource);
    const encoding = encodingOf(scope, negotiated);
    const wanted: WatchRequest = {
      ...scopeOf(resource, options, namespace),
      from,
      bookmarks: options.allowWatchBookmarks,
      encoding: encoding ?? "json",
    };
    let cursor: WatchCursor;
    try {
      cursor = await storageOf(resource).watch(wanted);
    } catch (error) {
      throw interpreted(error, resource, "watch", "");
    }
    return respondWatch(scope, request, negotiated, options, cursor, encoding);
  };
}

/** The table of features.md: https://kubernetes.io/docs/reference/using-api/api-concepts/ */
export function watchFromOf(options: ListOptions): WatchFrom {
  const { resourceVersion, sendInitialEvents } = options;
  const problem = resourceVersion === "" ? undefined : resourceVersionError(resourceVersion);
  if (problem !== undefined) throw api.unknownError(problem);
  const revision = asRevision(Number(resourceVersion));
  // The bookmark that ends the initial events is sent only to clients that take bookmarks.
  if (sendInitialEvents === true && options.allowWatchBookmarks) {
    if (resourceVersion === "") return { kind: "InitialEvents", at: { kind: "MostRecent" } };
    if (revision === 0) return { kind: "InitialEvents", at: { kind: "Any" } };
    return { kind: "InitialEvents", at: { kind: "NotOlderThan", revision } };
  }
  if (sendInitialEvents === false && revision === 0) return { kind: "Now" };
  if (sendInitialEvents === true && revision !== 0) {
    return { kind: "StateThenChanges", at: { kind: "NotOlderThan", revision } };
  }
  if (resourceVersion === "") return { kind: "StateThenChanges", at: { kind: "MostRecent" } };
  if (revision === 0) return { kind: "StateThenChanges", at: { kind: "Any" } };
  return { kind: "After", revision };
}

function encodingOf(
  { resource }: RequestScope,
  { mediaType, as, asVersion }: Negotiated,
): Encoding | undefined {
  if (resource.hooks?.decorate !== undefined) return undefined;
  if (as === "PartialObjectMetadata" && asVersion === "v1") {
    if (!holdsMetadata(resource)) return undefined;
    return mediaType === PROTOBUF_TYPE ? "metadata-protobuf" : "metadata-json";
  }
  if (as !== undefined || !servesStorageVersion(resource)) return undefined;
  return mediaType === PROTOBUF_TYPE ? "protobuf" : "json";
}

function respondWatch(
  scope: RequestScope,
  request: AuthorizedRequest,
  negotiated: Negotiated,
  options: ListOptions,
  cursor: WatchCursor,
  encoding: Encoding | undefined,
): WatchResponse {
  const isText = negotiated.mediaType === JSON_TYPE;
  const frame = frameMaker(scope, request, negotiated);
  const timeoutMs = timeoutMsOf(scope, options);
  const stopBookmarks = options.allowWatchBookmarks ? sendBookmarks(cursor, timeoutMs) : () => {};
  const type = isText ? JSON_TYPE : `${PROTOBUF_TYPE};stream=watch`;
  return {
    kind: "watch",
    status: 200,
    headers: [["Content-Type", type]],
    nativeId: encoding === undefined ? undefined : cursor.nativeId,
    text: isText,
    timeoutMs,
    frames: () => readFrames(cursor, frame),
    onReadable: (callback) => cursor.onReadable(callback),
    close: () => {
      stopBookmarks();
      cursor.close();
    },
  };
}

/**
 * A bookmark every minute, and one shortly before the watch ends, so that its client resumes from
 * there. Upstream: cacher/cache_watcher.go nextBookmarkTime. Returns what stops it.
 */
function sendBookmarks(cursor: WatchCursor, timeoutMs: number): () => void {
  const lastAt = performance.now() + timeoutMs - BOOKMARK_BEFORE_END_MS;
  let timer: NodeJS.Timeout | undefined;
  const schedule = () => {
    const leftMs = lastAt - performance.now();
    if (leftMs <= 0) return;
    timer = setTimeout(send, Math.ceil(Math.min(BOOKMARK_INTERVAL_MS, leftMs)));
  };
  const send = () => {
    cursor.bookmark();
    schedule();
  };
  schedule();
  return () => clearTimeout(timer);
}

function timeoutMsOf({ api: shared }: RequestScope, { timeoutSeconds }: ListOptions): number {
  if (timeoutSeconds !== undefined && timeoutSeconds > 0) return timeoutSeconds * 1000;
  const minimum = shared.settings.minRequestTimeoutSeconds;
  return Math.floor(minimum * (1 + Math.random()) * 1000);
}

type FrameOf = (type: string, object: Uint8Array | api.Status, revision: number) => Uint8Array;

function readFrames(cursor: WatchCursor, frame: FrameOf): readonly Uint8Array[] | "end" {
  const result = cursor.read(EVENTS_PER_READ);
  switch (result.kind) {
    case "closed":
      return "end";
    case "expired": {
      const status = api.resourceExpired(result.message).status;
      cursor.close();
      return [frame("ERROR", status, 0)];
    }
    default:
      return result.events.map((event: WatchEvent) =>
        frame(event.type, event.json, event.revision),
      );
  }
}

/** Builds frames from an event's JSON; Table watches send their columns only once. */
function frameMaker(
  scope: RequestScope,
  request: AuthorizedRequest,
  negotiated: Negotiated,
): FrameOf {
  const { resource } = scope;
  let sentColumns = false;
  const textOf = (object: Uint8Array | api.Status): string => {
    if (!(object instanceof Uint8Array)) return goJson(object);
    const isPlain = negotiated.as === undefined && servesStorageVersion(resource);
    if (isPlain && resource.hooks?.decorate === undefined) {
      return Buffer.from(object.buffer, object.byteOffset, object.length).toString("utf8");
    }
    const stored = { name: "", revision: asRevision(0), json: object };
    const decoded = decodeStored<KubeObject>(stored, resource.storageSchema);
    resource.hooks?.decorate?.(decoded);
    const served = resource.fromStorage(decoded);
    if (negotiated.as === "Table") {
      const metadata = { resourceVersion: served.metadata?.resourceVersion ?? "" };
      const table = tableOfObjects(request, resource, [served], metadata);
      const shown = sentColumns ? { ...table, columnDefinitions: null } : table;
      sentColumns = true;
      return goJson(shown);
    }
    if (negotiated.as !== undefined) {
      return goJson(partialMetadata(resource, served, negotiated.asVersion));
    }
    return encodeJson(served as unknown as JsonObject, resource.schema);
  };
  if (negotiated.mediaType === PROTOBUF_TYPE) {
    return (type, object) => protobufFrame(resource, negotiated, type, textOf(object));
  }
  return (type, object) => Buffer.from(`{"type":"${type}","object":${textOf(object)}}\n`);
}
