/**
 * Which servers are alive, told through keys in the store that expire: kube-apiserver's own, so that
 * the two list each other. Upstream: controlplane/reconcilers/lease.go.
 */
import { decodeProtobuf, encodeProtobuf } from "../../apimachinery/runtime/protobuf.ts";
import { structOf } from "../../apis/schemas.ts";
import { asStorageKey, type KvBackend } from "../../storage/interfaces.ts";

const TTL_SECONDS = 15;
const ENDPOINTS = { group: "", version: "v1", kind: "Endpoints" };
const SCHEMA_NAME = "k8s.io/api/core/v1.Endpoints";
const TRIES_MAX = 5;

export class MasterLeases {
  readonly #backend: KvBackend;
  readonly #prefix: string;
  constructor(backend: KvBackend, etcdPrefix: string) {
    this.#backend = backend;
    this.#prefix = `${etcdPrefix}/masterleases/`;
  }

  /** Says that the server at `ip` is alive for another 15 seconds. */
  async renew(ip: string): Promise<void> {
    const key = asStorageKey(this.#prefix + ip);
    const lease = await this.#backend.grantLease(TTL_SECONDS);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { kvs } = await this.#backend.range({ start: key, end: `${key}\0` });
      const expected = kvs[0]?.modRevision ?? (0 as never);
      const object = { metadata: {}, subsets: [{ addresses: [{ ip }] }] };
      const value = encodeProtobuf(object as never, structOf(SCHEMA_NAME), ENDPOINTS);
      if ((await this.#backend.cas({ key, expected, value, lease })).ok) return;
    }
  }

  async list(): Promise<string[]> {
    const end = `${this.#prefix.slice(0, -1)}0`; // "0" follows "/"
    const { kvs } = await this.#backend.range({ start: this.#prefix, end });
    return kvs.flatMap(({ value }) => {
      const { object } = decodeProtobuf(value, structOf(SCHEMA_NAME));
      const endpoints = object as { subsets?: { addresses?: { ip?: string }[] }[] };
      return endpoints.subsets?.[0]?.addresses?.[0]?.ip ?? [];
    });
  }

  async remove(ip: string): Promise<void> {
    const key = asStorageKey(this.#prefix + ip);
    const { kvs } = await this.#backend.range({ start: key, end: `${key}\0` });
    const [current] = kvs;
    if (current !== undefined) await this.#backend.cas({ key, expected: current.modRevision });
  }
}
