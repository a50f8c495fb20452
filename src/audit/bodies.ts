/** The bodies of a request and its answer, kept for the audit event as far as the level asks. */
import { gunzipSync } from "node:zlib";
import { parseApiVersion } from "../apimachinery/runtime/gvk.ts";
import { encodeJson } from "../apimachinery/runtime/json-encode.ts";
import { decodeProtobuf, interpretEnvelope } from "../apimachinery/runtime/protobuf.ts";
import { parseYaml } from "../apimachinery/runtime/yaml-library.ts";
import { schemaForKind } from "../apis/schemas.ts";
import type {
  BytesResponse,
  ReceivedRequest,
  Response,
  StreamResponse,
} from "../request/request.ts";
import type { ObjectNames, ResponseStatus } from "./event.ts";
import type { PolicyDecision } from "./policy.ts";

/** Answers beyond this are left out of the event, which then says so. */
const STREAM_BYTES_MAX = 8 * 1024 * 1024;
const TRUNCATED = "audit.k8s.io/truncated";
const WRITES = new Set(["POST", "PUT", "PATCH", "DELETE"]);

export class BodyRecorder {
  readonly #request: ReceivedRequest;
  readonly #decision: PolicyDecision;
  #requestBytes: Uint8Array | undefined;
  #requestJson: string | undefined;
  #responseJson: string | undefined;
  #chunks: Buffer[] = [];
  #streamed = false;

  constructor(request: ReceivedRequest, decision: PolicyDecision) {
    this.#request = request;
    this.#decision = decision;
    if (!WRITES.has(request.method) || !request.info.isResourceRequest) return;
    const read = request.body.bind(request);
    const body = async (bytesMax: number) => {
      this.#requestBytes = await read(bytesMax);
      return this.#requestBytes;
    };
    Object.assign(request, { body });
  }

  get #wantsRequest(): boolean {
    return this.#decision.level === "Request" || this.#wantsResponse;
  }
  get #wantsResponse(): boolean {
    return this.#decision.level === "RequestResponse";
  }

  /** What the body calls the object; for creates, whose URL has no name. */
  names(): ObjectNames {
    const { info } = this.#request;
    if (info.verb !== "create" && info.verb !== "update") return {};
    const { metadata } = (parsed(this.#jsonOfRequest()) ?? {}) as { metadata?: unknown };
    if (typeof metadata !== "object" || metadata === null) return {};
    const fields = metadata as Record<string, unknown>;
    const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
    return {
      namespace: text("namespace"),
      name: text("name"),
      uid: text("uid"),
      resourceVersion: text("resourceVersion"),
    };
  }

  /** Undefined below level Request, and for requests without an object. */
  requestObject(): string | undefined {
    return this.#wantsRequest ? this.#jsonOfRequest() : undefined;
  }

  #jsonOfRequest(): string | undefined {
    if (this.#requestBytes === undefined || this.#requestBytes.length === 0) return undefined;
    const type = this.#request.headers.get("content-type") ?? "";
    this.#requestJson ??= this.#finished(jsonText(this.#requestBytes, type));
    return this.#requestJson;
  }

  recordBytes({ body, headers, status }: BytesResponse): void {
    if (!this.#wantsResponse || !this.#request.info.isResourceRequest || status === 304) return;
    const header = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? "";
    const raw = typeof body === "string" ? Buffer.from(body) : body;
    const bytes = header("content-encoding") === "gzip" ? gunzipSync(raw) : raw;
    this.#responseJson = this.#finished(jsonText(bytes, header("content-type")));
  }

  /** Copies the pieces of a streamed answer as they are read. */
  recordStream(response: StreamResponse): void {
    if (!this.#wantsResponse) return;
    this.#streamed = true;
    const read = response.read;
    let size = 0;
    const keep = (target: Uint8Array, length: number) => {
      size += length;
      if (size > STREAM_BYTES_MAX) this.#chunks = [];
      else this.#chunks.push(Buffer.from(target.subarray(0, length)));
      if (size > STREAM_BYTES_MAX) this.#request.auditAnnotations.set(TRUNCATED, "true");
      return length;
    };
    response.read = (target) => {
      const length = read.call(response, target);
      if (length instanceof Promise) return length.then((done) => keep(target, done));
      return keep(target, length);
    };
    const encoding = response.headers.find(([key]) => key.toLowerCase() === "content-encoding");
    const type = response.headers.find(([key]) => key.toLowerCase() === "content-type")?.[1] ?? "";
    this.#finishStream = () => {
      const bytes = Buffer.concat(this.#chunks);
      this.#chunks = [];
      if (bytes.length === 0) return;
      const plain = encoding?.[1] === "gzip" ? gunzipSync(bytes) : bytes;
      this.#responseJson = this.#finished(jsonText(plain, type));
    };
  }
  #finishStream: () => void = () => {};

  responseObject(): string | undefined {
    if (!this.#wantsResponse) return undefined;
    if (this.#streamed) this.#finishStream();
    return this.#responseJson;
  }

  /** The code, and for a Status what it says. */
  responseStatusOf(response: Response): ResponseStatus {
    if (response.kind === "upgrade") return { code: 101 };
    const code = response.status;
    if (response.kind !== "bytes" || code < 400) return { code };
    const text = typeof response.body === "string" ? response.body : decodeUtf8(response.body);
    const status = (parsed(text) ?? {}) as Record<string, unknown>;
    if (status["kind"] !== "Status") return { code };
    const { message, reason, details } = status as {
      message?: string;
      reason?: string;
      details?: unknown;
    };
    return {
      status: "Failure",
      ...(message === undefined ? {} : { message }),
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }

  #finished(json: string | undefined): string | undefined {
    if (json === undefined || !this.#decision.omitManagedFields) return json;
    return withoutManagedFields(json);
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

function parsed(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

/** The body as one line of JSON; undefined when it is none of the known forms. */
function jsonText(bytes: Uint8Array, contentType: string): string | undefined {
  const type = (contentType.split(";")[0] ?? "").trim();
  try {
    if (type === "application/vnd.kubernetes.protobuf") return protobufAsJson(bytes);
    const text = decodeUtf8(bytes).trim();
    if (type === "application/yaml" || type === "application/apply-patch+yaml") {
      return JSON.stringify(parseYaml(text));
    }
    // Not to be trusted: a line break or a broken brace would let a client write events of its own.
    return /[\r\n]/.test(text) ? JSON.stringify(JSON.parse(text)) : checked(text);
  } catch {
    return undefined;
  }
}

function checked(text: string): string {
  JSON.parse(text);
  return text;
}

function protobufAsJson(bytes: Uint8Array): string | undefined {
  const { apiVersion, kind } = interpretEnvelope(bytes);
  const version = parseApiVersion(apiVersion);
  const schema = version === undefined ? undefined : schemaForKind({ ...version, kind });
  if (schema === undefined) return undefined;
  const { object } = decodeProtobuf(bytes, schema);
  return encodeJson({ ...object, kind, apiVersion }, schema);
}

function withoutManagedFields(json: string): string {
  const value = JSON.parse(json) as { metadata?: Fields; items?: { metadata?: Fields }[] };
  for (const one of [value, ...(Array.isArray(value.items) ? value.items : [])]) {
    if (typeof one?.metadata === "object" && one.metadata !== null)
      delete one.metadata["managedFields"];
  }
  return JSON.stringify(value);
}
type Fields = Record<string, unknown>;
