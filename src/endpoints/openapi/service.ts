/**
 * The OpenAPI documents as bytes, built when first asked for and kept until the served APIs change.
 * Upstream: kube-openapi/pkg/handler, pkg/handler3.
 */
import { createHash } from "node:crypto";
import { encodeSortedJson } from "../../apimachinery/runtime/json-encode.ts";
import type { OpenApiInput } from "./v2.ts";
import { openApiV2 } from "./v2.ts";
import { openApiV3, openApiV3Paths } from "./v3.ts";

export type OpenApiEncoding = "json" | "protobuf";

export const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/** The name client-go still asks by; answers carry the other one, for `@` is no media type. */
export const OPENAPI_V2_PROTOBUF_OLD = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
export const OPENAPI_V3_PROTOBUF = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
export const OPENAPI_V3_PROTOBUF_OLD = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";

export interface OpenApiBytes {
  readonly body: Buffer;
  /** Quoted, for the ETag header. */
  readonly etag: string;
  /** SHA-512 of the JSON form, upper-case hexadecimal: version 3's `?hash=`. */
  readonly hash: string;
}

function hashOf(bytes: Buffer): string {
  return createHash("sha512").update(bytes).digest("hex").toUpperCase();
}

/** One per set of served APIs: make a new one when that set changes. Bound: two bodies a document. */
export class OpenApiService {
  readonly #input: OpenApiInput;
  readonly #cache = new Map<string, OpenApiBytes>();
  #index: Buffer | undefined;

  constructor(input: OpenApiInput) {
    this.#input = input;
  }

  /** `GET /openapi/v2`. The first call takes some 100 ms. */
  async v2(encoding: OpenApiEncoding): Promise<OpenApiBytes> {
    const json = this.#json("v2", () => openApiV2(this.#input));
    if (encoding === "json" || json === undefined) return json ?? EMPTY;
    return this.#protobuf("v2", json, async () => {
      const { encodeGnosticV2 } = await import("./gnostic.ts");
      return encodeGnosticV2(openApiV2(this.#input));
    });
  }

  /** `GET /openapi/v3`: every document's path with its hash. The first call builds them all. */
  v3Index(): Buffer {
    if (this.#index !== undefined) return this.#index;
    const paths: Record<string, { serverRelativeURL: string }> = {};
    for (const path of openApiV3Paths(this.#input.groups)) {
      const hash = this.#v3Json(path)?.hash ?? "";
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
    }
    this.#index = Buffer.from(JSON.stringify({ paths }));
    return this.#index;
  }

  /** `GET /openapi/v3/<path>`; undefined is a 404 with an empty body. */
  async v3(path: string, encoding: OpenApiEncoding): Promise<OpenApiBytes | undefined> {
    const json = this.#v3Json(path);
    if (json === undefined || encoding === "json") return json;
    return this.#protobuf(`v3/${path}`, json, async () => {
      const { encodeGnosticV3 } = await import("./gnostic.ts");
      return encodeGnosticV3(openApiV3(this.#input, path) ?? {});
    });
  }

  #v3Json(path: string): OpenApiBytes | undefined {
    return this.#json(`v3/${path}`, () => openApiV3(this.#input, path));
  }

  #json(key: string, build: () => ReturnType<typeof openApiV3>): OpenApiBytes | undefined {
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const document = build();
    if (document === undefined) return undefined;
    const body = Buffer.from(encodeSortedJson(document));
    const hash = hashOf(body);
    const made = { body, hash, etag: `"${hash}"` };
    this.#cache.set(key, made);
    return made;
  }

  async #protobuf(
    key: string,
    json: OpenApiBytes,
    build: () => Promise<Buffer>,
  ): Promise<OpenApiBytes> {
    const known = this.#cache.get(`${key} protobuf`);
    if (known !== undefined) return known;
    const body = await build();
    const made = { body, hash: json.hash, etag: `"${hashOf(body)}"` };
    this.#cache.set(`${key} protobuf`, made);
    return made;
  }
}

const EMPTY: OpenApiBytes = { body: Buffer.alloc(0), etag: '""', hash: "" };
