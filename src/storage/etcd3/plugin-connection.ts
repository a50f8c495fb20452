/** The connection to a plugin behind a unix socket: one at a time, opened when first used. */
import { Connection } from "./connection.ts";

export class PluginConnection {
  readonly #socket: string;
  readonly #signal: AbortSignal | undefined;
  #opening: Promise<Connection> | undefined;

  /** `signal` ends an attempt to connect. */
  constructor(socket: string, signal?: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
  }

  /** Rejects with GrpcError when nothing answers there; the next call tries again. */
  async get(): Promise<Connection> {
    const forget = () => {
      this.#opening = undefined;
    };
    this.#opening ??= Connection.open(`unix:${this.#socket}`, undefined, forget, this.#signal);
    const opening = this.#opening;
    return opening.catch((error) => {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    });
  }

  close(): void {
    void this.#opening?.then((connection) => connection.close()).catch(() => {});
  }
}
