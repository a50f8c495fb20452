/** Calls of a KMS plugin behind a unix socket. */
import { frame } from "../etcd3/grpc-status.ts";
import { PluginConnection } from "../etcd3/plugin-connection.ts";
import { WireReader, type WireWriter } from "../etcd3/wire.ts";

export interface KmsOptions {
  readonly socket: string;
  readonly timeoutMs: number;
  readonly log?: (message: string) => void;
}

export class KmsPlugin {
  readonly #service: string;
  readonly #options: KmsOptions;
  readonly #connection: PluginConnection;

  /** `service`: the gRPC path before the method, `/v2.KeyManagementService`. */
  constructor(service: string, options: KmsOptions) {
    this.#service = service;
    this.#options = options;
    this.#connection = new PluginConnection(options.socket);
  }

  /** `request` with room for a frame's header. Rejects with GrpcError. */
  async call(method: string, request: WireWriter): Promise<Buffer> {
    const connection = await this.#connection.get();
    const options = { timeoutMs: this.#options.timeoutMs, token: undefined, signal: undefined };
    return connection.unary(`${this.#service}/${method}`, frame(request.finish()), options);
  }

  close(): void {
    this.#connection.close();
  }
}

/** The bytes of an answer's first field, which is all that most have. */
export function firstField(answer: Buffer): Buffer {
  const reader = new WireReader(answer);
  let out = Buffer.alloc(0);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) out = Buffer.from(reader.bytes());
    else reader.skip();
  }
  return out;
}
