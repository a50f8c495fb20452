/** A page of a list as a Table, from the cache's own bytes where it can be. */
import { servesStorageVersion } from "../../registry/generic/served-resource.ts";
import { printerFor } from "../../registry/printers/printers.ts";
import type { AuthorizedRequest, Response, StreamResponse } from "../../request/request.ts";
import type { ListPage } from "../../storage/interfaces.ts";
import type { RequestScope } from "../api-context.ts";
import { listMeta } from "../list-encoding.ts";
import { JSON_TYPE, type Negotiated } from "../negotiation.ts";
import { holdsMetadata } from "../partial-metadata.ts";
import { bytesResponse } from "../respond.ts";
import { includeObjectOf, tableHead } from "../table.ts";
import { escaped, type RowObject, TableRows } from "../table-rows.ts";
import { maybeGzipped } from "./list-gzip.ts";

/** Smaller tables are made at once, and have a Content-Length. */
const STREAMED_ROWS_MIN = 100;
const CHUNK_BYTES = 64 * 1024;

/**
 * The answer, which closes the page; undefined where objects have to be built for it: YAML,
 * indented JSON, v1beta1, rows in another order, another version than the stored one.
 */
export function tablePage(
  { resource }: RequestScope,
  request: AuthorizedRequest,
  { as, asVersion, mediaType, pretty }: Negotiated,
  page: ListPage,
  token: string,
): Response | undefined {
  if (as !== "Table" || asVersion !== "v1" || mediaType !== JSON_TYPE || pretty) return undefined;
  if (page.item === undefined || page.count === 0) return undefined;
  if (!servesStorageVersion(resource) || !printerFor(resource).keepsOrder) return undefined;
  const include = includeObjectOf(request);
  if (include === "Metadata" && !holdsMetadata(resource)) return undefined;
  if (include === "Object" && resource.hooks?.decorate !== undefined) return undefined;
  const encodings = { None: undefined, Metadata: "metadata-json", Object: "json" } as const;
  const encoding: RowObject = encodings[include];
  const head = escaped(tableHead(resource, asVersion, listMeta(page, token)));
  const rows = new TableRows(resource, page, encoding, head);
  if (page.count < STREAMED_ROWS_MIN) return atOnce(request, rows, page);
  const stream: StreamResponse = {
    kind: "stream",
    status: 200,
    headers: [["Content-Type", JSON_TYPE]],
    byteLength: undefined,
    read: (target) => rows.read(target),
    close: () => page.close(),
  };
  return maybeGzipped(request, stream);
}

function atOnce(request: AuthorizedRequest, rows: TableRows, page: ListPage): Response {
  try {
    const chunks: Buffer[] = [];
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const size = rows.read(chunk);
      if (size === 0) break;
      chunks.push(chunk.subarray(0, size));
    }
    return bytesResponse(request, 200, JSON_TYPE, Buffer.concat(chunks));
  } finally {
    page.close();
  }
}
