/** The connection to a KMS plugin behind a unix socket: one at a time, opened when first used. */
import { Connection } from "../etcd3/connection.ts";
import { frame } from "../etcd3/grpc-status.ts";
import type { WireWriter } from "../etcd3/wire.ts";

export interface KmsOptions {
  readonly socket: string;
  readonly timeoutMs: number;
  readonly log?: (message: string) => void;
}

export class KmsPlugin {
  readonly #service: string;
  readonly #options: KmsOptions;
  #connection: Promise<Connection> | undefined;

  /** `service`: the gRPC path before the method, `/v2.KeyManagementService`. */
  constructor(service: string, options: KmsOptions) {
    this.#service = service;
    this.#options = options;
  }

  /** `request` with room for a frame's header. Rejects with GrpcError. */
  async call(method: string, request: WireWriter): Promise<Buffer> {
    this.#connection ??= Connection.open(`unix:${this.#options.socket}`, undefined, () => {
      this.#connection = undefined;
    });
    const opening = this.#connection;
    const connection = await opening.catch((error) => {
      if (this.#connection === opening) this.#connection = undefined;
      throw error;
    });
    const options = { timeoutMs: this.#options.timeoutMs, token: undefined, signal: undefined };
    return connection.unary(`${this.#service}/${method}`, frame(request.finish()), options);
  }

  close(): void {
    void this.#connection?.then((c) => c.close()).catch(() => {});
  }
}
