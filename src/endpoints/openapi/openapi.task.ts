/** Building OpenAPI documents takes a tenth of a second and more: a pool thread does it. */
import type { ServedGroup } from "../discovery/resources.ts";
import { loadDescriptions, noDescriptions } from "./descriptions.ts";
import { type OpenApiBytes, type OpenApiEncoding, OpenApiService } from "./service.ts";

export interface OpenApiTask {
  readonly groups: readonly ServedGroup[];
  readonly version: string;
  /** The file of descriptions made at build time; "" without one. */
  readonly descriptions: string;
  readonly want:
    | { readonly kind: "v2"; readonly encoding: OpenApiEncoding }
    | { readonly kind: "v3-index" }
    | { readonly kind: "v3"; readonly path: string; readonly encoding: OpenApiEncoding };
}

/** Kept while the thread lives: clients that ask for one document ask for the others. */
let last: { readonly key: string; readonly service: OpenApiService } | undefined;

export async function run(task: OpenApiTask): Promise<OpenApiBytes | undefined> {
  const key = JSON.stringify([task.groups, task.version, task.descriptions]);
  if (last?.key !== key) {
    const descriptions =
      task.descriptions === "" ? noDescriptions : loadDescriptions(task.descriptions);
    const { groups, version } = task;
    last = { key, service: new OpenApiService({ groups, version, descriptions }) };
  }
  const { service } = last;
  const { want } = task;
  if (want.kind === "v2") return service.v2(want.encoding);
  if (want.kind === "v3") return service.v3(want.path, want.encoding);
  return { body: service.v3Index(), etag: "", hash: "" };
}
