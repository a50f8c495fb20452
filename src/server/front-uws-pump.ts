/** The addon's part in the front, when it is there: connections, certificates, the watch pump. */
import type { HttpResponse, TemplatedApp } from "uWebSockets.js";
import { logWarning } from "../metrics/log.ts";
import type { NativeBinding } from "../native/binding.ts";

type Pump = typeof import("../native/pump.ts");

let binding: NativeBinding | undefined;
let pump: Pump | undefined;
let tried = false;

/** Loads the addon once per thread. Without it every watch goes through JavaScript. */
export async function loadPump(): Promise<void> {
  if (tried) return;
  tried = true;
  try {
    const [{ native }, loaded] = await Promise.all([
      import("../native/binding.ts"),
      import("../native/pump.ts"),
    ]);
    if (!loaded.hasPump()) throw new Error("its socket symbols are not usable");
    binding = native;
    pump = loaded;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    logWarning("The native watch pump is off; watches are written from JavaScript", { why });
  }
}

/** A number that stands for the connection while it is open; 0 without the addon. */
export function socketKey(res: HttpResponse): number {
  return binding === undefined ? 0 : binding.socketKey(res);
}

/** The app takes any client certificate from now on; false where its TLS itself verifies them. */
export function collectClientCertificates(app: TemplatedApp): boolean {
  return binding?.collectClientCertificates(app.getDescriptor()) ?? false;
}

/** What the client presented in its handshake, as PEM, leaf first; "" after a resumed session. */
export function takeClientCertificates(res: HttpResponse): string {
  return binding?.takeClientCertificates(res) ?? "";
}

/** From filter(-1). */
export function forgetClientCertificates(res: HttpResponse): void {
  binding?.forgetClientCertificates(res);
}

/** Undefined without the addon. */
export function loadedPump(): Pump | undefined {
  return pump;
}
