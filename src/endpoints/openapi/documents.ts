/** OpenAPI documents as the front has them: made once by a pool thread, then kept as bytes. */
import { defineTask, run } from "../../workers/pool.ts";
import type { ServedGroup } from "../discovery/resources.ts";
import type { CustomOpenApi } from "./custom.ts";
import type { OpenApiTask } from "./openapi.task.ts";
import type { OpenApiBytes, OpenApiEncoding } from "./service.ts";

const task = defineTask<OpenApiTask, OpenApiBytes | undefined>(import.meta.url, "openapi");

export interface OpenApiDocumentsInput {
  readonly groups: readonly ServedGroup[];
  readonly version: string;
  readonly descriptions: string;
  readonly customs?: readonly CustomOpenApi[];
}

/** The document of one group version of custom resources, without its hash. */
export async function customDocument(
  input: OpenApiDocumentsInput,
  encoding: OpenApiEncoding,
): Promise<Buffer> {
  const made = await run(task, { ...input, want: { kind: "custom", encoding } });
  return Buffer.from(made?.body ?? []);
}

/** One per set of served APIs. Bound: two bodies a document, some 15 MB when all are asked for. */
export class OpenApiDocuments {
  readonly #input: OpenApiDocumentsInput;
  readonly #made = new Map<string, Promise<OpenApiBytes | undefined>>();
  readonly #paths: ReadonlySet<string>;

  /** `paths`: the documents of version 3 there are; anything else is not even asked for. */
  constructor(input: OpenApiDocumentsInput, paths: readonly string[]) {
    this.#input = input;
    this.#paths = new Set(paths);
  }

  async v2(encoding: OpenApiEncoding): Promise<OpenApiBytes> {
    const document = await this.#get(`v2 ${encoding}`, { kind: "v2", encoding });
    if (document === undefined) throw new Error("no OpenAPI version 2");
    return document;
  }
  async v3Index(): Promise<Buffer> {
    return (await this.#get("v3", { kind: "v3-index" }))?.body ?? Buffer.from('{"paths":{}}');
  }
  async v3(path: string, encoding: OpenApiEncoding): Promise<OpenApiBytes | undefined> {
    if (!this.#paths.has(path)) return undefined;
    return this.#get(`v3 ${encoding} ${path}`, { kind: "v3", path, encoding });
  }

  #get(key: string, want: OpenApiTask["want"]): Promise<OpenApiBytes | undefined> {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = run(task, { ...this.#input, want }).then(
      // What crosses threads arrives as a Uint8Array.
      (document) => document && { ...document, body: Buffer.from(document.body) },
    );
    this.#made.set(key, made);
    made.catch(() => this.#made.delete(key));
    return made;
  }
}
