/** Serves a KvBackend to another thread over a MessagePort. */
import type { MessagePort } from "node:worker_threads";
import type { KvBackend, KvEvent, KvWatchMessage } from "../interfaces.ts";
import { asRevision } from "../interfaces.ts";
import { Batcher, type Call, failureOf, type Reply, unpackBatch, WATCH_WINDOW } from "./wire.ts";

/** A watch that a client has open: how many messages it may still get. */
interface OpenWatch {
  readonly abort: AbortController;
  credit: number;
  granted: (() => void) | undefined;
}

/** Answers calls on `port` until it closes. Watches of a closed port end. */
export function serveKv(port: MessagePort, backend: KvBackend): void {
  const out = new Batcher<Reply>(port);
  const watches = new Map<number, OpenWatch>();
  port.on("message", (data: Uint8Array) => {
    for (const call of unpackBatch<Call>(data)) handle(call, backend, out, watches);
  });
  port.on("close", () => {
    for (const watch of watches.values()) watch.abort.abort();
    watches.clear();
    out.close();
  });
}

function handle(
  call: Call,
  backend: KvBackend,
  out: Batcher<Reply>,
  watches: Map<number, OpenWatch>,
): void {
  switch (call.op) {
    case "watch":
      void pump(call, backend, out, watches);
      return;
    case "taken": {
      const watch = watches.get(call.id);
      if (watch === undefined) return;
      watch.credit++;
      watch.granted?.();
      return;
    }
    case "cancel":
      watches.get(call.id)?.abort.abort();
      return;
    case "requestProgress":
      backend.requestProgress();
      return;
    default:
      answer(call, backend).then(
        (value) => out.send({ id: call.id, ok: true, value }),
        (error) => out.send({ id: call.id, ok: false, failure: failureOf(error) }),
      );
  }
}

type Answered = Exclude<Call, { readonly op: "watch" | "taken" | "cancel" | "requestProgress" }>;

async function answer(
  call: Answered,
  backend: KvBackend,
): Promise<Extract<Reply, { value: unknown }>["value"]> {
  switch (call.op) {
    case "range":
      return backend.range(call.request);
    case "cas":
      return backend.cas(call.request);
    case "currentRevision":
      return backend.currentRevision();
    case "grantLease":
      return backend.grantLease(call.ttlSeconds);
    case "revokeLease":
      await backend.revokeLease(call.lease);
      return null;
    case "compact":
      await backend.compact(asRevision(call.revision));
      return null;
    case "health":
      await backend.health(call.timeoutMs);
      return null;
    case "sizeBytes":
      return backend.sizeBytes();
  }
}

async function pump(
  call: Extract<Call, { op: "watch" }>,
  backend: KvBackend,
  out: Batcher<Reply>,
  watches: Map<number, OpenWatch>,
): Promise<void> {
  const abort = new AbortController();
  const watch: OpenWatch = { abort, credit: WATCH_WINDOW, granted: undefined };
  watches.set(call.id, watch);
  try {
    const messages = backend.watch(call.prefix, asRevision(call.from), abort.signal);
    for await (const message of messages) {
      while (watch.credit === 0 && !abort.signal.aborted) await moreCredit(watch);
      if (abort.signal.aborted) break;
      watch.credit--;
      out.send({ id: call.id, ok: true, message: plainMessage(message) });
    }
    out.send({ id: call.id, ok: true, value: null });
  } catch (error) {
    out.send({ id: call.id, ok: false, failure: failureOf(error) });
  } finally {
    watches.delete(call.id);
  }
}

function moreCredit(watch: OpenWatch): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      watch.granted = undefined;
      watch.abort.signal.removeEventListener("abort", done);
      resolve();
    };
    watch.granted = done;
    watch.abort.signal.addEventListener("abort", done);
  });
}

/** Events may read their previous value lazily; a port needs it said. */
function plainMessage(message: KvWatchMessage): KvWatchMessage {
  if (message.kind === "progress") return message;
  return { kind: "events", events: message.events.map(plainEvent) };
}

function plainEvent(event: KvEvent): KvEvent {
  const { type, key, revision, value, createRevision, previous } = event;
  return { type, key, revision, value, createRevision, previous };
}
