/** Defaults of Secrets, and their conversion: stringData is a way to write data, and never stored. */
import type { Secret } from "../types.ts";

/** Upstream: SetDefaults_Secret and Convert_v1_Secret_To_core_Secret. */
export function setSecretDefaults(secret: Secret): void {
  secret.type ||= "Opaque";
  const { stringData } = secret;
  if (stringData === undefined) return;
  delete secret.stringData;
  const keys = Object.keys(stringData);
  if (keys.length === 0) return;
  secret.data ??= {};
  for (const key of keys) {
    const value = Buffer.from(stringData[key] ?? "", "utf8").toString("base64");
    Object.defineProperty(secret.data, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}
