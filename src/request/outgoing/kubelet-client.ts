/**
 * Calls to kubelets: where a node's kubelet is, and GETs of what it streams.
 * Upstream: pkg/kubelet/client/kubelet_client.go; apiserver/pkg/registry/generic/rest/streamer.go.
 */
import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";

const HANDSHAKE_MS = 30_000;
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

export interface KubeletClientOptions {
  /** PEM; undefined: kubelets are not asked who they are (--kubelet-certificate-authority). */
  readonly authorities: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Of kubelets whose node does not say. */
  readonly defaultPort: number;
  /** Types of node addresses, best first. */
  readonly addressTypes: readonly string[];
  /** Until the connection is there. */
  readonly connectTimeoutMs: number;
}

/** What is read of a Node. */
export interface KubeletNode {
  readonly status?:
    | {
        readonly addresses?:
          | readonly { readonly type?: string | undefined; readonly address?: string | undefined }[]
          | undefined;
        readonly daemonEndpoints?:
          | { readonly kubeletEndpoint?: { readonly Port?: number | undefined } | undefined }
          | undefined;
      }
    | undefined;
}

export interface KubeletAddress {
  readonly host: string;
  readonly port: number;
}

export interface Upgraded {
  readonly answer: IncomingMessage;
  readonly socket: Duplex;
  readonly first: Buffer;
}

export class KubeletClient {
  readonly #options: KubeletClientOptions;
  #agent: Agent | undefined;
  #unverified: Agent | undefined;

  constructor(options: KubeletClientOptions) {
    this.#options = options;
  }

  #agentOf(isVerified: boolean): Agent {
    const { authorities, certificate, key } = this.#options;
    const identity =
      certificate === undefined || key === undefined ? {} : { cert: certificate, key };
    const unverified = { rejectUnauthorized: false };
    if (!isVerified) {
      this.#unverified ??= new Agent({ keepAlive: true, ...identity, ...unverified });
      return this.#unverified;
    }
    const verified = authorities === undefined ? unverified : { ca: authorities };
    this.#agent ??= new Agent({ keepAlive: true, ...identity, ...verified });
    return this.#agent;
  }

  /** Throws an Error with upstream's text when no address of the node may be used. */
  addressOf({ status }: KubeletNode): KubeletAddress {
    const addresses = status?.addresses ?? [];
    for (const wanted of this.#options.addressTypes) {
      const found = addresses.find(({ type }) => type === wanted);
      if (found === undefined) continue;
      const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
      return { host: found.address ?? "", port: port > 0 ? port : this.#options.defaultPort };
    }
    const known = addresses.map(({ type, address }) => `{${type} ${address}}`).join(" ");
    throw new Error(`no preferred addresses found; known addresses: [${known}]`);
  }

  /**
   * The answer, whatever its status, once its headers are there; its body is not read yet. Rejects
   * when there is none, with the URL in the message. `signal` ends the call and the body.
   */
  get(
    address: KubeletAddress,
    path: string,
    options: { readonly skipsVerification: boolean; readonly signal: AbortSignal },
  ): Promise<IncomingMessage> {
    const url = `https://${authorityOf(address)}${path}`;
    return new Promise((resolve, reject) => {
      const agent = this.#agentOf(!options.skipsVerification);
      const call = request(url, { agent, signal: options.signal }, resolve);
      call.once("socket", (socket) => {
        if (!socket.connecting) return;
        const timer = setTimeout(
          () => call.destroy(new Error(`dial tcp ${authorityOf(address)}: i/o timeout`)),
          this.#options.connectTimeoutMs,
        );
        timer.unref();
        const clear = () => clearTimeout(timer);
        socket.once("secureConnect", clear).once("close", clear);
      });
      call.on("error", (error) => {
        reject(new Error(`Get ${JSON.stringify(url)}: ${error.message}`));
      });
      call.end();
    });
  }

  /**
   * A WebSocket to the kubelet, open. Resolves to its answer instead when it does not switch;
   * rejects when there is none, with the URL in the message.
   */
  connect(
    address: KubeletAddress,
    path: string,
    protocols: readonly string[],
  ): Promise<WebSocket | IncomingMessage> {
    const url = `wss://${authorityOf(address)}${path}`;
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, [...protocols], {
        agent: this.#agentOf(true),
        handshakeTimeout: HANDSHAKE_MS,
        maxPayload: MESSAGE_BYTES_MAX,
        perMessageDeflate: false,
      });
      // Nothing may be lost between the handshake and the first listener.
      socket.once("open", () => {
        socket.pause();
        resolve(socket);
      });
      socket.once("unexpected-response", (_request, answer) => resolve(answer));
      socket.on("error", (error) => {
        reject(new Error(`Get ${JSON.stringify(url)}: ${error.message}`));
      });
    });
  }

  /** As connect, for any protocol: the connection after 101, with what came behind its headers. */
  upgrade(
    address: KubeletAddress,
    path: string,
    headers: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<Upgraded | IncomingMessage> {
    const url = `https://${authorityOf(address)}${path}`;
    return new Promise((resolve, reject) => {
      const options = { method: "POST", agent: this.#agentOf(true), headers: { ...headers } };
      const call = request(url, options as RequestOptions, resolve);
      call.once("upgrade", (answer, socket, first) => {
        socket.setTimeout(0);
        resolve({ answer, socket, first });
      });
      call.setTimeout(HANDSHAKE_MS, () => call.destroy(new Error("context deadline exceeded")));
      call.on("error", (error) => {
        reject(new Error(`Post ${JSON.stringify(url)}: ${error.message}`));
      });
      call.end();
    });
  }

  close(): void {
    this.#agent?.destroy();
    this.#unverified?.destroy();
  }
}

function authorityOf({ host, port }: KubeletAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
