/** The addon's part in the front, when it is there: connection keys and the watch pump. */
import type { HttpResponse } from "uWebSockets.js";
import { logWarning } from "../metrics/log.ts";
import type { NativeBinding, PumpEnd, WatchId } from "../native/binding.ts";
import { uwsBinaryPath } from "../native/uws.ts";

let binding: NativeBinding | undefined;
let tried = false;
const endings = new Map<WatchId, (why: PumpEnd) => void>();

/** Loads the addon once per thread. Without it every watch goes through JavaScript. */
export async function loadPump(): Promise<void> {
  if (tried) return;
  tried = true;
  try {
    const { native } = await import("../native/binding.ts");
    if (!native.pumpInit(uwsBinaryPath())) throw new Error("its socket symbols are not usable");
    native.onPumpEnd((watch, why) => {
      const ended = endings.get(watch);
      endings.delete(watch);
      ended?.(why);
    });
    binding = native;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    logWarning("The native watch pump is off; watches are written from JavaScript", { why });
  }
}

/** A number that stands for the connection while it is open; 0 without the addon. */
export function socketKey(res: HttpResponse): number {
  return binding === undefined ? 0 : binding.socketKey(res);
}

/** The pump, with a callback per watch; undefined without the addon. */
export function pump(): NativeBinding | undefined {
  return binding;
}
export function onPumpEnd(watch: WatchId, callback: (why: PumpEnd) => void): void {
  endings.set(watch, callback);
}
export function forgetPumpEnd(watch: WatchId): void {
  endings.delete(watch);
}
