/** What a front thread's gates are made from. */
import type { Listers } from "./admission/plugin.ts";
import type { ExternalSigner } from "./authentication/service-account/external-signer.ts";
import type { LogFields } from "./metrics/log.ts";
import type { ServerOptions } from "./options/options.ts";
import type { LoadedFiles } from "./settings.ts";
import type { Storage } from "./storage/interfaces.ts";

export interface GatesConfig {
  readonly options: ServerOptions;
  readonly files: LoadedFiles;
  /** Of --service-account-signing-endpoint. The gates close it. */
  readonly signer?: ExternalSigner | undefined;
  readonly loopbackToken: string;
  readonly listers: Listers;
  readonly storageOf: (group: string, resource: string) => Storage | undefined;
  /** `host:port` under which others reach this server. */
  readonly externalAddress: string;
  readonly log: {
    info(message: string, fields?: LogFields, level?: number): void;
    warning(message: string, fields?: LogFields): void;
    error(message: string, error: unknown): void;
  };
}
