/**
 * A kubelet's answer as ours. Upstream: apiserver/pkg/registry/generic/rest/response_checker.go,
 * apimachinery/pkg/api/errors NewGenericServerResponse.
 */
import type { IncomingMessage } from "node:http";
import * as api from "../../apimachinery/api/errors.ts";
import { type GroupResource, qualifiedResource } from "../../apimachinery/runtime/gvk.ts";
import type { StreamResponse } from "../../request/request.ts";

/** Of an answer that is an error. */
const ERROR_BYTES_MAX = 50_000;

/** Throws the Status for an answer outside of 200 to 206; its body has been read then. */
export async function checkKubeletAnswer(
  message: IncomingMessage,
  of: GroupResource,
  name: string,
): Promise<void> {
  const code = message.statusCode ?? 0;
  if (code >= 300 && code < 400) {
    message.destroy();
    throw api.unknownError("redirects forbidden");
  }
  if (code >= 200 && code <= 206) return;
  const text = await textOf(message);
  if (code === 500) throw api.internalError(text);
  if (code === 400) throw api.badRequest(text);
  throw genericServerResponse(code, of, name, text);
}

const messages: Readonly<Record<number, readonly [api.StatusReason, string]>> = {
  401: ["Unauthorized", "the server has asked for the client to provide credentials"],
  404: ["NotFound", "the server could not find the requested resource"],
  405: ["MethodNotAllowed", "the server does not allow this method on the requested resource"],
  406: [
    "NotAcceptable",
    "the server was unable to respond with a content type that the client supports",
  ],
  409: ["Conflict", "the server reported a conflict"],
  415: [
    "UnsupportedMediaType",
    "the server was unable to respond with a content type that the client supports",
  ],
  422: ["Invalid", "the server rejected our request due to an error in our request"],
  429: [
    "TooManyRequests",
    "the server has received too many requests and has asked us to try again later",
  ],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
  504: [
    "Timeout",
    "the server was unable to return a response in the time allotted, but may still be processing the request",
  ],
};

function genericServerResponse(code: number, of: GroupResource, name: string, text: string) {
  const [reason, known] =
    code === 403 ? (["Forbidden", text] as const) : (messages[code] ?? otherwise(code, text));
  const message = `${known} ( ${qualifiedResource(of)} ${name})`;
  const details = { name, group: of.group, kind: of.resource };
  return new api.StatusError(reason, message, { details, code });
}

function otherwise(code: number, text: string): readonly [api.StatusReason, string] {
  if (code >= 500) {
    const quoted = JSON.stringify(text);
    return [
      "InternalError",
      `an error on the server (${quoted}) has prevented the request from succeeding`,
    ];
  }
  const message = `the server responded with the status code ${code} but did not return more information`;
  return ["", message];
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size >= ERROR_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BYTES_MAX).toString("utf8");
}

/** The body as it comes: nothing is read ahead of what the client takes but a socket's buffer. */
export function streamOf(
  message: IncomingMessage,
  headers: StreamResponse["headers"],
): StreamResponse {
  let rest: Buffer = Buffer.alloc(0);
  let failure: Error | undefined;
  let over = false;
  let wake = () => {};
  const note = () => wake();
  message.on("readable", note);
  message.on("end", () => {
    over = true;
    wake();
  });
  message.on("error", (error) => {
    failure = error;
    wake();
  });
  message.on("close", () => {
    over = true;
    wake();
  });
  const take = (target: Uint8Array): number => {
    if (rest.length === 0) rest = (message.read() as Buffer | null) ?? rest;
    const length = Math.min(rest.length, target.length);
    target.set(rest.subarray(0, length));
    rest = rest.subarray(length);
    return length;
  };
  return {
    kind: "stream",
    status: 200,
    headers,
    byteLength: undefined,
    async read(target) {
      for (;;) {
        const length = take(target);
        if (length > 0) return length;
        if (failure !== undefined) throw failure;
        if (over) return 0;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    close() {
      message.destroy();
    },
  };
}
