/** A signer behind a unix socket, as far as the server talks to it. */
import { createPublicKey, type KeyObject, sign } from "node:crypto";
import http2 from "node:http2";
import { FRAME_HEADER, frame } from "../../src/storage/etcd3/grpc-status.ts";
import { WireReader, WireWriter } from "../../src/storage/etcd3/wire.ts";

export interface PluginKey {
  readonly id: string;
  /** A private key on P-256. */
  readonly key: KeyObject;
  readonly excluded?: boolean;
}
export interface PluginState {
  keys: readonly PluginKey[];
  /** The id of the key that signs. */
  signer: string;
  refreshSeconds: number;
  maxSeconds: number;
  /** Instead of what is made. */
  header?: object | undefined;
  /** gRPC status of Sign. */
  status?: readonly [number, string] | undefined;
  readonly calls: string[];
}

function keysResponse({ keys, refreshSeconds }: PluginState): WireWriter {
  const out = new WireWriter(256, FRAME_HEADER);
  for (const { id, key, excluded } of keys) {
    const der = createPublicKey(key).export({ type: "spki", format: "der" });
    const one = new WireWriter().string(1, id).bytes(2, der);
    out.bytes(1, one.bool(3, excluded === true).finish());
  }
  out.bytes(2, new WireWriter().int(1, 1_700_000_000).finish());
  return out.int(3, refreshSeconds);
}

function signResponse(state: PluginState, request: Buffer): WireWriter {
  const reader = new WireReader(request);
  reader.field();
  const payload = reader.string();
  const { id = "", key } = state.keys.find((one) => one.id === state.signer) ?? {};
  const head = state.header ?? { alg: "ES256", kid: id, typ: "JWT" };
  const header = Buffer.from(JSON.stringify(head)).toString("base64url");
  const how = { key: key as KeyObject, dsaEncoding: "ieee-p1363" } as const;
  const signature = sign("sha256", Buffer.from(`${header}.${payload}`), how);
  return new WireWriter(256, FRAME_HEADER)
    .string(1, header)
    .string(2, signature.toString("base64url"));
}

/** Serves until the returned function is called. `state` may change meanwhile. */
export async function servePlugin(socket: string, state: PluginState): Promise<() => void> {
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    const method = String(headers[":path"]).split("/").at(-1) ?? "";
    state.calls.push(method);
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("end", () => {
      const request = Buffer.concat(chunks).subarray(FRAME_HEADER);
      const [code, message] = (method === "Sign" && state.status) || [0, ""];
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () =>
        stream.sendTrailers({ "grpc-status": String(code), "grpc-message": message }),
      );
      if (code !== 0) {
        stream.end();
        return;
      }
      const answer =
        method === "Sign"
          ? signResponse(state, request)
          : method === "FetchKeys"
            ? keysResponse(state)
            : new WireWriter(32, FRAME_HEADER).int(1, state.maxSeconds);
      stream.end(frame(answer.finish()));
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return () => {
    for (const session of sessions) session.destroy();
    server.close();
  };
}
