/** Where audit events go, and when. Upstream: apiserver/plugin/pkg/audit/{log,webhook,buffered,truncate}. */
import type { AuditEvent } from "./event.ts";
import { eventJson } from "./event.ts";

/** Takes events. */
export interface AuditBackend {
  /** False: at least one event is lost, or (blocking) could not be written. */
  process(event: AuditEvent): boolean | Promise<boolean>;
  /** `blocking-strict`: a request whose arrival can not be recorded is refused. */
  readonly strict: boolean;
  /** Writes what is waiting. */
  close(): Promise<void>;
}

/** Writes finished events. Rejects or throws when they are lost. */
export interface AuditSink {
  write(lines: readonly string[]): void | Promise<void>;
  close(): void | Promise<void>;
}

export interface BatchOptions {
  /** Events that may wait; more are dropped. */
  readonly bufferSize: number;
  readonly batchSizeMax: number;
  readonly waitMsMax: number;
  /** Undefined: no limit. */
  readonly throttle: { readonly perSecond: number; readonly burst: number } | undefined;
}

export interface TruncateOptions {
  readonly eventBytesMax: number;
}

export type Encode = (event: AuditEvent) => string;

/** An encoder that cuts events that are too large: bodies first, then the event. */
export function truncating(encode: Encode, { eventBytesMax }: TruncateOptions): Encode {
  return (event) => {
    const whole = encode(event);
    if (Buffer.byteLength(whole) <= eventBytesMax) return whole;
    const annotations = new Map([...event.annotations, ["audit.k8s.io/truncated", "true"]]);
    const cut = { ...event, requestObject: undefined, responseObject: undefined, annotations };
    const text = encode(cut);
    if (Buffer.byteLength(text) <= eventBytesMax) return text;
    throw new Error("audit event is too large even without its objects");
  };
}

/** Writes each event before its request goes on. */
export function blockingBackend(
  sink: AuditSink,
  strict: boolean,
  onError: (error: unknown) => void,
  encode: Encode = eventJson,
): AuditBackend {
  return {
    strict,
    process(event) {
      try {
        const written = sink.write([encode(event)]);
        if (!(written instanceof Promise)) return true;
        return written.then(
          () => true,
          (error) => {
            onError(error);
            return false;
          },
        );
      } catch (error) {
        onError(error);
        return false;
      }
    },
    close: async () => sink.close(),
  };
}

/** Collects events and writes them in batches, off the requests' path. */
export function batchBackend(
  sink: AuditSink,
  options: BatchOptions,
  onError: (error: unknown) => void,
  encode: Encode = eventJson,
): AuditBackend {
  const { bufferSize, batchSizeMax, waitMsMax, throttle } = options;
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> = Promise.resolve();
  const bucket = tokenBucket(throttle);
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting.slice(0, batchSizeMax);
    waiting = waiting.slice(batchSizeMax);
    if (batch.length === 0) return;
    sending = sending.then(async () => {
      await bucket();
      try {
        await sink.write(batch);
      } catch (error) {
        onError(error);
      }
    });
    if (waiting.length > 0) schedule();
  };
  const schedule = () => {
    if (waiting.length >= batchSizeMax) {
      clearTimeout(timer);
      timer = setTimeout(flush, 0);
    } else {
      timer ??= setTimeout(flush, waitMsMax);
    }
    timer.unref();
  };
  return {
    strict: false,
    process(event) {
      if (waiting.length >= bufferSize) {
        onError(new Error("audit buffer queue blocked"));
        return false;
      }
      try {
        waiting.push(encode(event));
      } catch (error) {
        onError(error);
        return false;
      }
      schedule();
      return true;
    },
    async close() {
      while (waiting.length > 0) flush();
      await sending;
      await sink.close();
    },
  };
}

/** Resolves when the next batch may go. */
function tokenBucket(throttle: BatchOptions["throttle"]): () => Promise<void> {
  if (throttle === undefined) return async () => {};
  let tokens = throttle.burst;
  let at = Date.now();
  return async () => {
    const now = Date.now();
    tokens = Math.min(throttle.burst, tokens + ((now - at) / 1000) * throttle.perSecond);
    at = now;
    tokens -= 1;
    if (tokens >= 0 || throttle.perSecond <= 0) return;
    const waitMs = (-tokens / throttle.perSecond) * 1000;
    await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
  };
}

/** All backends as one; every one of them gets every event. */
export function unionBackend(backends: readonly AuditBackend[]): AuditBackend {
  return {
    strict: backends.some((one) => one.strict),
    async process(event) {
      const results = await Promise.all(backends.map((one) => one.process(event)));
      return results.every(Boolean);
    },
    async close() {
      await Promise.all(backends.map((one) => one.close()));
    },
  };
}
