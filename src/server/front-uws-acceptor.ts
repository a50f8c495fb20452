/**
 * Who accepts connections for the apps that serve them. One acceptor holds the port; apps of any
 * thread join and leave, so certificates rotate and threads stop without losing a connection.
 */
import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { loadUws } from "../native/uws.ts";
import type { TlsMaterial } from "./front.ts";
import { createTlsApp } from "./front-uws-tls.ts";

export interface Acceptor {
  /** Resolves to the port. Rejects when the address is taken or not ours. */
  listen(host: string, port: number, tls: TlsMaterial): Promise<number>;
  /** From now on the app behind `descriptor` gets connections in turn. */
  add(descriptor: number): Promise<void>;
  /** After it resolves the app gets no more and may close. */
  remove(descriptor: number): Promise<void>;
  /** Stops listening. */
  close(): Promise<void>;
}

/**
 * The acceptor itself. Its own app only lends its listening socket; what connects before an app
 * has joined is hung up on, as if nobody listened yet.
 */
export class UwsAcceptor implements Acceptor {
  #app: TemplatedApp | undefined;
  #socket: us_listen_socket | undefined;

  listen(host: string, port: number, tls: TlsMaterial): Promise<number> {
    const uws = loadUws();
    const app = createTlsApp(uws, tls);
    app.any("/*", (response) => {
      response.close();
    });
    this.#app = app;
    const { promise, resolve, reject } = withResolvers<number>();
    const exclusive = 1; // LIBUS_LISTEN_EXCLUSIVE_PORT: a second server must fail, not share
    // uWS takes options here as well; its types only know them without a host.
    const listen = app.listen as unknown as (
      host: string,
      port: number,
      options: number,
      callback: (socket: us_listen_socket | false) => void,
    ) => TemplatedApp;
    listen.call(app, host, port, exclusive, (socket) => {
      if (!socket) {
        app.close();
        reject(new Error(`failed to listen on ${host}:${port}: the address is in use or not ours`));
        return;
      }
      this.#socket = socket;
      resolve(uws.us_socket_local_port(socket));
    });
    return promise;
  }
  async add(descriptor: number): Promise<void> {
    this.#app?.addChildAppDescriptor(descriptor);
  }
  async remove(descriptor: number): Promise<void> {
    this.#app?.removeChildAppDescriptor(descriptor);
  }
  async close(): Promise<void> {
    if (this.#socket !== undefined) loadUws().us_listen_socket_close(this.#socket);
    this.#socket = undefined;
    this.#app?.close();
    this.#app = undefined;
  }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
