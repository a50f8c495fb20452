/** What every response carries, whichever front writes it. */
import { STATUS_CODES } from "node:http";
import { type Status, StatusError, toStatus } from "../apimachinery/api/errors.ts";
import type { BytesResponse, ReceivedRequest, Response } from "../request/request.ts";

type Header = readonly [string, string];

/** `404 Not Found`, as HTTP/1.1's status line has it. */
export function statusLine(code: number): string {
  return `${code} ${STATUS_CODES[code] ?? "Unknown"}`;
}

/** A metav1.Status as a JSON response; upstream ends every JSON body with a newline. */
export function statusResponse(status: Status): BytesResponse {
  const code = status.code ?? 500;
  const retryAfter = status.details?.retryAfterSeconds ?? 0;
  const headers: Header[] = [["Content-Type", "application/json"]];
  if (retryAfter > 0) headers.push(["Retry-After", String(retryAfter)]);
  return { kind: "bytes", status: code, headers, body: `${JSON.stringify(status)}\n` };
}

/** The answer for whatever serve() threw. */
export function errorResponse(thrown: unknown): BytesResponse {
  return statusResponse(toStatus(thrown));
}

/** Go's http.Error: plain text, one newline, no sniffing. */
export function textResponse(status: number, text: string): BytesResponse {
  const headers: Header[] = [
    ["Content-Type", "text/plain; charset=utf-8"],
    ["X-Content-Type-Options", "nosniff"],
  ];
  return { kind: "bytes", status, headers, body: `${text}\n` };
}

/** 504 of a request that ran out of time. Upstream: apiserver/pkg/server/filters/timeout.go. */
export function deadlineResponse(): BytesResponse {
  const message = "request did not complete within requested timeout - context deadline exceeded";
  return errorResponse(new StatusError("Timeout", `Timeout: ${message}`, { details: {} }));
}

const WARNING_RUNES_MAX = 4096;
const WARNING_RUNES_CUT = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they must not reach a header.
const CONTROL = /[\x00-\x1f\x7f]/g;

/**
 * The response's headers plus those every response has: Audit-Id, Cache-Control, what gates add,
 * and the warnings.
 * What the handler set itself stays. Upstream: endpoints/filters/{audit_init,cachecontrol,warning}.
 */
export function completeHeaders(request: ReceivedRequest, response: Response): readonly Header[] {
  const headers = response.headers;
  const has = (wanted: string) => headers.some(([name]) => name.toLowerCase() === wanted);
  const added: Header[] = [];
  if (!has("audit-id")) added.push(["Audit-Id", request.auditId.replace(CONTROL, "")]);
  if (!has("cache-control")) added.push(["Cache-Control", "no-cache, private"]);
  if (request.responseHeaders !== undefined) added.push(...request.responseHeaders);
  if (request.warnings.size > 0 && !has("warning")) added.push(...warningHeaders(request.warnings));
  return added.length === 0 ? headers : [...added, ...headers];
}

function warningHeaders(warnings: ReadonlySet<string>): Header[] {
  let texts = [...warnings];
  const runes = texts.reduce((sum, text) => sum + [...text].length, 0);
  if (runes > WARNING_RUNES_MAX) {
    texts = texts.map((text) => [...text].slice(0, WARNING_RUNES_CUT).join(""));
  }
  return texts.map((text) => ["Warning", `299 - ${quoted(text)}`]);
}
const quoted = (text: string) => `"${text.replace(CONTROL, "").replace(/["\\]/g, "\\$&")}"`;

/** Frees what an answer nobody will read still holds. */
export function discard(answer: Response): void {
  if (answer.kind === "stream" || answer.kind === "watch") answer.close();
  else if (answer.kind === "upgrade") answer.abandon?.();
}
