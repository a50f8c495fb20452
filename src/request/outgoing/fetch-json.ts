/** GET of a JSON document over https, bounded in time and size: OpenID metadata and keys. */
import { request } from "node:https";

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 1024 * 1024;

/** Rejects for anything but a 2xx with JSON. `authorities` in PEM; undefined: the system's. */
export function fetchJson(url: string, authorities: string | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = {
      headers: { Accept: "application/json" },
      ...(authorities === undefined ? {} : { ca: authorities }),
    };
    const call = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > BYTES_MAX) call.destroy(new Error(`${url}: the document is too large`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        clearTimeout(timer);
        const { statusCode = 0 } = response;
        if (statusCode < 200 || statusCode > 299) {
          reject(new Error(`${url}: the server answered ${statusCode}`));
          return;
        }
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
        } catch {
          reject(new Error(`${url}: the document is no JSON`));
        }
      });
    });
    const timer = setTimeout(() => call.destroy(new Error(`${url}: timed out`)), TIMEOUT_MS);
    timer.unref();
    call.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    call.end();
  });
}
