/** Encryption at rest of one thread, from its configuration file. */
import { noEncryption, type TransformerFor } from "./transformer.ts";

export interface Encryption {
  readonly transformerFor: TransformerFor;
  close(): void;
}

/** Rejects when the file can not be read or is not valid. */
export async function encryptionOf(
  source: { readonly file: string; readonly reload: boolean } | undefined,
  _log?: (message: string) => void,
): Promise<Encryption> {
  if (source !== undefined) throw new Error("encryption at rest is being written");
  return { transformerFor: noEncryption, close: () => {} };
}
