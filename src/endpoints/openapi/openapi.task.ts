/** Building OpenAPI documents takes a tenth of a second and more: a pool thread does it. */

import { encodeSortedJson } from "../../apimachinery/runtime/json-encode.ts";
import type { ServedGroup } from "../discovery/resources.ts";
import type { CustomOpenApi } from "./custom.ts";
import { loadDescriptions, noDescriptions } from "./descriptions.ts";
import { type OpenApiBytes, type OpenApiEncoding, OpenApiService } from "./service.ts";
import { customOpenApiV3 } from "./v3.ts";

export interface OpenApiTask {
  readonly groups: readonly ServedGroup[];
  readonly version: string;
  /** The file of descriptions made at build time; "" without one. */
  readonly descriptions: string;
  /** Of version 2, and all there is in a document of kind `custom`. */
  readonly customs?: readonly CustomOpenApi[];
  readonly want:
    | { readonly kind: "custom"; readonly encoding: OpenApiEncoding }
    | { readonly kind: "v2"; readonly encoding: OpenApiEncoding }
    | { readonly kind: "v3-index" }
    | { readonly kind: "v3"; readonly path: string; readonly encoding: OpenApiEncoding };
}

/** Kept while the thread lives: clients that ask for one document ask for the others. */
let last: { readonly key: string; readonly service: OpenApiService } | undefined;

export async function run(task: OpenApiTask): Promise<OpenApiBytes | undefined> {
  if (task.want.kind === "custom") return custom(task, task.want.encoding);
  const key = JSON.stringify([task.groups, task.version, task.descriptions, task.customs]);
  if (last?.key !== key) {
    const descriptions =
      task.descriptions === "" ? noDescriptions : loadDescriptions(task.descriptions);
    const { groups, version, customs = [] } = task;
    last = { key, service: new OpenApiService({ groups, version, descriptions, customs }) };
  }
  const { service } = last;
  const { want } = task;
  if (want.kind === "v2") return service.v2(want.encoding);
  if (want.kind === "v3") return service.v3(want.path, want.encoding);
  return { body: service.v3Index(), etag: "", hash: "" };
}

async function custom(task: OpenApiTask, encoding: OpenApiEncoding): Promise<OpenApiBytes> {
  const descriptions =
    task.descriptions === "" ? noDescriptions : loadDescriptions(task.descriptions);
  const document = customOpenApiV3(task.customs ?? [], descriptions);
  if (encoding === "json") return bytesOf(Buffer.from(encodeSortedJson(document)));
  const { encodeGnosticV3 } = await import("./gnostic.ts");
  return bytesOf(await encodeGnosticV3(document));
}

/** The server knows the document by another hash, that of what it is made of. */
function bytesOf(body: Buffer): OpenApiBytes {
  return { body, etag: "", hash: "" };
}
