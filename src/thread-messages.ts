/** What the main thread and the front threads say to each other. Plain data only. */
import type { MessagePort } from "node:worker_threads";
import type { MetricSnapshot } from "./metrics/registry.ts";
import type { ServerOptions } from "./options/options.ts";
import type { FrontLimits, TlsMaterial } from "./server/front.ts";
import type { LoadedFiles } from "./settings.ts";
import type { StoragePorts } from "./storage/cacher/control.ts";

export interface FrontThreadData {
  /** From 0; thread 0 also answers for the process's own metrics. */
  readonly index: number;
  readonly options: ServerOptions;
  readonly files: LoadedFiles;
  readonly limits: FrontLimits;
  /** True: the main thread accepts and this one joins; false: it listens itself. */
  readonly sharedAcceptor: boolean;
  readonly startedAt: number;
  /** Bearer of the in-server controllers' identity; known to this process only. */
  readonly loopbackToken: string;
}

export type ToFront =
  /**
   * The store is open. Comes first, once: the thread has loaded its code meanwhile. Without
   * storage the thread opens the store itself, with caches in JavaScript (no addon).
   */
  | {
      readonly kind: "start";
      readonly storage: StoragePorts | undefined;
      /** The in-server controllers' requests come through it; the first front's only. */
      readonly loopback: MessagePort | undefined;
    }
  /** Find leaked cluster IPs and node ports, once. */
  | { readonly kind: "repair-services"; readonly id: number }
  | {
      readonly kind: "reload";
      readonly tls: TlsMaterial;
      readonly authorities: Pick<LoadedFiles, "clientCa" | "requestHeaderCa">;
    }
  /** A post-start hook that runs in the main thread has finished. */
  | { readonly kind: "hook-done"; readonly name: string; readonly error: string | undefined }
  /** /readyz fails from now on; serving goes on. */
  | { readonly kind: "shutting-down" }
  | { readonly kind: "close"; readonly graceMs: number; readonly watchGraceMs: number }
  | { readonly kind: "acceptor-done"; readonly id: number; readonly error: string | undefined }
  /** Give me your metrics. */
  | { readonly kind: "collect"; readonly id: number }
  /** What all the others have. */
  | { readonly kind: "scraped"; readonly id: number; readonly threads: readonly MetricSnapshot[][] }
  | { readonly kind: "reset-metrics" };

export type FromFront =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "acceptor";
      readonly id: number;
      readonly op: "add" | "remove";
      readonly descriptor: number;
    }
  | { readonly kind: "repaired"; readonly id: number; readonly error: string | undefined }
  | { readonly kind: "collected"; readonly id: number; readonly metrics: MetricSnapshot[] }
  | { readonly kind: "scrape"; readonly id: number }
  | { readonly kind: "reset-metrics" };
