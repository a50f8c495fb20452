/** Makes the backend a config names. */
import { openEmbeddedStore } from "../embedded/store.ts";
import { createEtcdBackend } from "../etcd3/backend.ts";
import type { KvBackend } from "../interfaces.ts";
import { createModelBackend } from "../model/memory-log.ts";
import type { OtherStore } from "./cache-host.ts";
import { type BackendConfig, overridesOf } from "./control.ts";

/** `onPublish` is told every new revision of a store in this process, before writes are answered. */
export async function openBackend(
  config: BackendConfig,
  onPublish: (revision: number) => void,
): Promise<KvBackend> {
  switch (config.kind) {
    case "embedded":
      return openEmbeddedStore({ ...config, onPublish });
    case "model":
      return createModelBackend({ onPublish });
    case "etcd":
      return createEtcdBackend({ ...config.etcd, previousValues: false });
  }
}

/** Makes the stores of single resources. */
export function openOthers(config: BackendConfig): OtherStore[] {
  return overridesOf(config).map(({ resources, etcd }) => ({
    resources,
    backend: createEtcdBackend({ ...etcd, previousValues: false }),
  }));
}
