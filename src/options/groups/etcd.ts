/** Upstream: apiserver/pkg/server/options/etcd.go. */
import { bool, duration, int, string, strings } from "../flag-spec.ts";

export const etcdFlags = {
  "default-watch-cache-size": int(100, "0 turns the watch cache off for every resource.", {
    deprecated:
      "watch caches are sized automatically and this flag will be removed in a future version",
  }),
  "delete-collection-workers": int(1, "Objects a deletecollection deletes at a time."),
  "enable-garbage-collector": bool(
    true,
    "Serve the garbage collector's finalizers (orphan, foreground). Must equal the controller manager's flag.",
  ),
  "encryption-provider-config": string("", "File with an EncryptionConfiguration for storage."),
  "encryption-provider-config-automatic-reload": bool(
    false,
    "Take up changes of --encryption-provider-config without a restart.",
  ),
  "etcd-cafile": string("", "CA that etcd's serving certificates are checked against."),
  "etcd-certfile": string("", "Client certificate to present to etcd."),
  "etcd-compaction-interval": duration("5m0s", "Time between compactions; 0: never."),
  "etcd-count-metric-poll-period": duration(
    "1m0s",
    "How often stored objects are counted; 0: never.",
  ),
  "etcd-db-metric-poll-interval": duration("30s", "How often the store's size is asked for."),
  "etcd-healthcheck-timeout": duration("2s", "How long etcd may take in a health check."),
  "etcd-keyfile": string("", "Key of --etcd-certfile."),
  "etcd-prefix": string("/registry", "Prefix of every key in the store."),
  "etcd-readycheck-timeout": duration("2s", "How long etcd may take in a readiness check."),
  "etcd-servers": strings(
    [],
    "etcd endpoints, scheme://host:port, separated by commas. Empty: the embedded store under --data-dir.",
  ),
  "etcd-servers-overrides": strings(
    [],
    "Stores of single resources: group/resource#url;url, separated by commas.",
  ),
  "lease-reuse-duration-seconds": int(60, "Objects with a TTL created this close share a lease."),
  "storage-backend": string("", "Kind of store; only etcd3."),
  "storage-media-type": string(
    "application/vnd.kubernetes.protobuf",
    "Encoding of built-in resources in the store: protobuf, application/json or application/yaml.",
  ),
  "watch-cache": bool(true, "Answer reads and watches from memory."),
  "watch-cache-sizes": strings(
    [],
    "resource[.group]#size, separated by commas; only size 0 (no cache) has an effect.",
  ),
};
