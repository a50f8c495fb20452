/** Lists through gzip. Upstream: handlers/responsewriters/writers.go deferredResponseWriter. */
import { createGzip, constants as zlib } from "node:zlib";
import type { AuthorizedRequest, StreamResponse } from "../../request/request.ts";
import { acceptsGzip, GZIP_BYTES_MIN } from "../respond.ts";

const GZIP_CHUNK_BYTES = 64 * 1024;

/** The stream, compressed when that is asked for and worth it. */
export function maybeGzipped(request: AuthorizedRequest, stream: StreamResponse): StreamResponse {
  const { byteLength } = stream;
  const isLarge = byteLength === undefined || byteLength > GZIP_BYTES_MIN;
  if (!isLarge || !acceptsGzip(request)) return stream;
  const told = [
    ["Content-Encoding", "gzip"],
    ["Vary", "Accept-Encoding"],
  ] as const;
  return gzipped({ ...stream, headers: [...stream.headers, ...told] });
}

/** The stream through zlib's threads, a chunk at a time: memory stays bounded. */
function gzipped(stream: StreamResponse): StreamResponse {
  const gzip = createGzip({ level: zlib.Z_BEST_SPEED, chunkSize: GZIP_CHUNK_BYTES });
  const output = gzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const source = Buffer.allocUnsafe(GZIP_CHUNK_BYTES);
  let isFed = false;
  let rest: Buffer = Buffer.alloc(0);
  const feed = async () => {
    for (;;) {
      const size = await stream.read(source);
      if (size === 0) break;
      const chunk = Buffer.from(source.subarray(0, size));
      if (!gzip.write(chunk)) await new Promise((resolve) => gzip.once("drain", resolve));
    }
    gzip.end();
  };
  return {
    ...stream,
    byteLength: undefined,
    read: async (target) => {
      if (!isFed) feed().catch((error: Error) => void gzip.destroy(error));
      isFed = true;
      if (rest.length === 0) {
        const next = await output.next();
        if (next.done === true) return 0;
        rest = next.value;
      }
      const size = Math.min(rest.length, target.length);
      target.set(rest.subarray(0, size), 0);
      rest = rest.subarray(size);
      return size;
    },
    close: () => {
      gzip.destroy();
      stream.close();
    },
  };
}
