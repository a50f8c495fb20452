/**
 * A request gains a type at each gate. A handler takes the last, so no gate can be gone around.
 * Free of any HTTP library: src/server/front.ts makes these from uWebSockets.js or node:https.
 */
import type { Brand } from "../apimachinery/brand.ts";
import type { RequestInfo } from "./request-info.ts";
import type { UserInfo } from "./user-info.ts";

export interface ClientConnection {
  /** `10.0.0.7:51442`. */
  readonly remoteAddress: string;
  /** What the client presented, unverified, in PEM, leaf first; undefined without. Read once. */
  readonly certificate: string | undefined;
  /** Who the certificate says it is, remembered for the connection's life by the authenticator. */
  identity: unknown;
}

export interface ReceivedRequest {
  /** Upper case. */
  readonly method: string;
  /** The raw request target: path and query as sent. */
  readonly target: string;
  readonly info: RequestInfo;
  /** Decoded query, in order; repeated keys stay. */
  readonly query: URLSearchParams;
  /** Names in lower case; repeated headers joined by ", ", see headerValues for single ones. */
  readonly headers: ReadonlyMap<string, string>;
  /** Each value of a header that may be repeated (Impersonate-Group), in order. */
  headerValues(name: string): readonly string[];
  readonly connection: ClientConnection;
  /** Aborts when the client is gone or the deadline has passed. */
  readonly signal: AbortSignal;
  /** The whole body, at most `maxBytes`; throws RequestEntityTooLarge beyond. Callable once. */
  body(maxBytes: number): Promise<Uint8Array>;
  readonly receivedAt: Date;
  readonly auditId: string;
  /** Warnings for the client, de-duplicated; become `Warning: 299` headers. */
  readonly warnings: Set<string>;
  /** Annotations for the audit event. */
  readonly auditAnnotations: Map<string, string>;
  /** Headers that a gate adds to the answer, whatever it will be. */
  responseHeaders?: readonly (readonly [string, string])[] | undefined;
}

export type AuthenticatedRequest = ReceivedRequest & {
  readonly user: UserInfo;
  /** Who really asked, when `user` is impersonated. */
  readonly impersonator?: UserInfo;
  /** The verb that allowed it, "" for the legacy one; for the audit event. */
  readonly impersonationConstraint?: string;
};
/** Made in src/authorization/ only. */
export type AuthorizedRequest = Brand<AuthenticatedRequest, "Authorized">;

/** Answers. The front writes them; a handler never touches a socket. */
export type Response = BytesResponse | StreamResponse | WatchResponse | UpgradeResponse;

export interface BytesResponse {
  readonly kind: "bytes";
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | string;
}

/** A body made piece by piece under backpressure: lists, logs. */
export interface StreamResponse {
  readonly kind: "stream";
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Known total for Content-Length; undefined: chunked. */
  readonly byteLength: number | undefined;
  /** Writes the next piece into `target` and returns its length; 0 ends the body. */
  read(target: Uint8Array): number | Promise<number>;
  /** Called exactly once, at the end or when the client is gone. */
  close(): void;
}

/** A watch: the front attaches the native pump when it can, else it reads frames. */
export interface WatchResponse {
  readonly kind: "watch";
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** The native watcher to attach to the pump; undefined: frames only. */
  readonly nativeId: number | undefined;
  /** Ready frames, or "end" after the last one. Frames are whole events. */
  frames(): readonly Uint8Array[] | "end";
  onReadable(callback: () => void): void;
  /** Frames are WebSocket messages when the client asked for an upgrade. */
  readonly text: boolean;
  /** When the server ends the watch, in ms from now. */
  readonly timeoutMs: number;
  close(): void;
}

/** The connection is taken over after 101 (exec, attach, port-forward, proxied upgrades). */
export interface UpgradeResponse {
  readonly kind: "upgrade";
  readonly headers: readonly (readonly [string, string])[];
  readonly protocol: string | undefined;
  accept(socket: UpgradedSocket): void;
  /** Takes a WebSocket message by message instead, where the client asked for one. */
  acceptMessages?(socket: MessageSocket): void;
  /** Called instead of both when the connection can not be handed over, or is gone. */
  abandon?(): void;
}
export interface MessageSocket {
  /** False: wait for onDrain before the next one. */
  send(data: Uint8Array, isBinary: boolean): boolean;
  /** `data` is valid until the callback returns. */
  onMessage(callback: (data: Uint8Array, isBinary: boolean) => void): void;
  onDrain(callback: () => void): void;
  onClose(callback: () => void): void;
  close(code: number): void;
}
export interface UpgradedSocket {
  write(bytes: Uint8Array): boolean;
  onData(callback: (bytes: Uint8Array) => void): void;
  onDrain(callback: () => void): void;
  onClose(callback: () => void): void;
  close(): void;
}

export type Handler = (request: AuthorizedRequest) => Promise<Response> | Response;
