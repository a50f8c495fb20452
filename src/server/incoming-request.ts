/** ReceivedRequest as both fronts make it. */
import { randomUUID } from "node:crypto";
import { parseQuery, parseTarget } from "../request/go-url.ts";
import type { ClientConnection, ReceivedRequest } from "../request/request.ts";
import type { RequestInfo } from "../request/request-info.ts";
import { parseRequestInfo, type SelectorParsers } from "../request/request-info-parse.ts";
import type { BodyBuffer } from "./body-buffer.ts";

/** Why a request's signal aborted, when it was not the client that left. */
export const DEADLINE_EXCEEDED = "context deadline exceeded";

/** Headers in lower case; repeats are joined, and kept one by one beside. */
export class HeaderFields {
  readonly joined = new Map<string, string>();
  readonly #repeated = new Map<string, string[]>();

  /**
   * Whether the body comes as its length says, or chunked. Parsers take anything for chunked, or read
   * to the end, however other servers on the way have read it.
   */
  get isEncodingKnown(): boolean {
    const encoding = this.joined.get("transfer-encoding");
    return encoding === undefined || encoding.toLowerCase() === "chunked";
  }
  add(name: string, value: string): void {
    const before = this.joined.get(name);
    if (before === undefined) {
      this.joined.set(name, value);
      return;
    }
    this.joined.set(name, `${before}, ${value}`);
    const values = this.#repeated.get(name);
    if (values === undefined) this.#repeated.set(name, [before, value]);
    else values.push(value);
  }
  values(name: string): readonly string[] {
    const repeated = this.#repeated.get(name);
    if (repeated !== undefined) return repeated;
    const only = this.joined.get(name);
    return only === undefined ? [] : [only];
  }
}

export interface IncomingParts {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderFields;
  readonly connection: ClientConnection;
  /** Undefined: the request has no body. */
  readonly body: BodyBuffer | undefined;
  readonly selectors: SelectorParsers | undefined;
}

const AUDIT_ID_MAX = 64;
const NO_BODY = new Uint8Array(0);

/**
 * A request as it came in. Add to it by `Object.assign(request, { user })`, never by spreading:
 * its methods live on the prototype. Query and signal are made when first used.
 * The constructor throws MalformedTarget.
 */
export class IncomingRequest implements ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly info: RequestInfo;
  readonly headers: ReadonlyMap<string, string>;
  readonly connection: ClientConnection;
  readonly receivedAt = new Date();
  readonly auditId: string;
  readonly warnings = new Set<string>();
  readonly auditAnnotations = new Map<string, string>();
  responseHeaders: ReceivedRequest["responseHeaders"] = undefined;
  readonly #fields: HeaderFields;
  readonly #body: BodyBuffer | undefined;
  readonly #rawQuery: string;
  #query: URLSearchParams | undefined;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;

  constructor({ method, target, headers, connection, body, selectors }: IncomingParts) {
    const { path, rawQuery } = parseTarget(target);
    this.method = method;
    this.target = target;
    this.headers = headers.joined;
    this.connection = connection;
    this.#fields = headers;
    this.#body = body;
    this.#rawQuery = rawQuery;
    this.info = parseRequestInfo(method, path, () => this.query, selectors);
    const auditId = headers.joined.get("audit-id") ?? "";
    // Upstream cuts what clients send: apiserver/pkg/endpoints/filters/audit_init.go.
    this.auditId = auditId === "" ? randomUUID() : auditId.slice(0, AUDIT_ID_MAX);
  }

  get query(): URLSearchParams {
    this.#query ??= parseQuery(this.#rawQuery);
    return this.#query;
  }
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }
  headerValues(name: string): readonly string[] {
    return this.#fields.values(name);
  }
  body(maxBytes: number): Promise<Uint8Array> {
    return this.#body === undefined ? Promise.resolve(NO_BODY) : this.#body.read(maxBytes);
  }

  /** Called by the front when the client is gone or time is up. The first reason stays. */
  abort(reason: string): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = new DOMException(reason, "AbortError");
    this.#controller?.abort(this.#abortReason);
    this.#body?.abort();
  }
  get aborted(): boolean {
    return this.#abortReason !== undefined;
  }
}
