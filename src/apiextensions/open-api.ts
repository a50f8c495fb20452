/**
 * OpenAPI with the custom resources: a document of version 3 for each of their group versions, and
 * version 2 as a whole. The built-in documents stay as they are, whatever definitions come and go.
 * Upstream: apiextensions-apiserver/pkg/controller/{openapi,openapiv3}.
 */
import { createHash } from "node:crypto";
import type { CustomOpenApi } from "../endpoints/openapi/custom.ts";
import {
  customDocument,
  OpenApiDocuments,
  type OpenApiDocumentsInput,
} from "../endpoints/openapi/documents.ts";
import type { OpenApiProvider } from "../endpoints/openapi/paths.ts";
import type { OpenApiBytes, OpenApiEncoding } from "../endpoints/openapi/service.ts";

export interface CustomOpenApiSource {
  openApi(): readonly CustomOpenApi[];
  upToDate(): Promise<void>;
}

interface Group {
  readonly customs: readonly CustomOpenApi[];
  /** Of what the document is made of. */
  readonly hash: string;
  readonly made: Map<OpenApiEncoding, Promise<Buffer>>;
}

/** Documents of a group version are kept while nothing in it changes. */
export class OpenApiWithCustoms implements OpenApiProvider {
  readonly #input: OpenApiDocumentsInput;
  readonly #builtIn: OpenApiDocuments;
  readonly #source: CustomOpenApiSource;
  #seen: readonly CustomOpenApi[] = [];
  #groups = new Map<string, Group>();
  #v2: OpenApiDocuments | undefined;

  constructor(input: OpenApiDocumentsInput, paths: readonly string[], source: CustomOpenApiSource) {
    this.#input = input;
    this.#builtIn = new OpenApiDocuments(input, paths);
    this.#source = source;
  }

  async v2(encoding: OpenApiEncoding): Promise<OpenApiBytes> {
    await this.#refresh();
    if (this.#seen.length === 0) return this.#builtIn.v2(encoding);
    this.#v2 ??= new OpenApiDocuments({ ...this.#input, customs: this.#seen }, []);
    return this.#v2.v2(encoding);
  }

  async v3Index(): Promise<Buffer> {
    const [index] = await Promise.all([this.#builtIn.v3Index(), this.#refresh()]);
    if (this.#groups.size === 0) return index;
    const { paths } = JSON.parse(index.toString("utf8")) as { paths: Record<string, unknown> };
    for (const [path, { hash }] of this.#groups) {
      paths[path] ??= { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
    }
    const sorted = Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1));
    return Buffer.from(JSON.stringify({ paths: Object.fromEntries(sorted) }));
  }

  async v3(path: string, encoding: OpenApiEncoding): Promise<OpenApiBytes | undefined> {
    const builtIn = await this.#builtIn.v3(path, encoding);
    if (builtIn !== undefined) return builtIn;
    await this.#refresh();
    const group = this.#groups.get(path);
    if (group === undefined) return undefined;
    let body = group.made.get(encoding);
    if (body === undefined) {
      body = customDocument({ ...this.#input, groups: [], customs: group.customs }, encoding);
      group.made.set(encoding, body);
      body.catch(() => group.made.delete(encoding));
    }
    return { body: await body, etag: `"${group.hash}"`, hash: group.hash };
  }

  async #refresh(): Promise<void> {
    await this.#source.upToDate();
    const customs = this.#source.openApi();
    if (customs === this.#seen) return;
    this.#seen = customs;
    this.#v2 = undefined;
    const byPath = new Map<string, CustomOpenApi[]>();
    for (const custom of customs) {
      const path = `apis/${custom.group}/${custom.version}`;
      const list = byPath.get(path);
      if (list === undefined) byPath.set(path, [custom]);
      else list.push(custom);
    }
    const before = this.#groups;
    this.#groups = new Map(
      [...byPath].map(([path, list]) => {
        const text = JSON.stringify([this.#input.version, list]);
        const hash = createHash("sha512").update(text).digest("hex").toUpperCase();
        const known = before.get(path);
        return [path, known?.hash === hash ? known : { customs: list, hash, made: new Map() }];
      }),
    );
  }
}
