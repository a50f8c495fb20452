/** Where a resource's objects stand in the store. Upstream: storage/etcd3/store.go, prepareKey. */
import { asStorageKey, type StorageConfig, type StorageKey } from "./interfaces.ts";

/** `--etcd-prefix` with one slash before and none behind: `/registry`. */
export function normalizeEtcdPrefix(prefix: string): string {
  return `/${prefix.replace(/^\/+|\/+$/g, "")}`;
}

export class KeySpace {
  /** `/registry/pods/`. */
  readonly prefix: string;

  constructor(etcdPrefix: string, config: Pick<StorageConfig, "prefix">) {
    const own = config.prefix.replace(/^\/+|\/+$/g, "");
    this.prefix = `${normalizeEtcdPrefix(etcdPrefix)}/${own}/`;
  }
  /** The key of `default/web-0`. */
  keyOf(name: string): StorageKey {
    return asStorageKey(this.prefix + name);
  }
  /** `default/web-0` of a key under the prefix. */
  nameOf(key: string): string {
    return key.slice(this.prefix.length);
  }
}

/** The first key behind every key that starts with `prefix`. */
export function prefixEnd(prefix: string): string {
  if (prefix === "") return "\0";
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
