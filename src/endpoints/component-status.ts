/**
 * componentstatuses: computed on each read. Deprecated since v1.19 and still asked for.
 * Upstream: pkg/registry/core/componentstatus/rest.go.
 */
import { Agent, request as httpsRequest } from "node:https";
import * as api from "../apimachinery/api/errors.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { Handler } from "../request/request.ts";
import type { RequestScope } from "./api-context.ts";
import { encodeList } from "./list-encoding.ts";
import { negotiate } from "./negotiation.ts";
import {
  bytesResponse,
  LIST_TRANSFORMATIONS,
  OBJECT_TRANSFORMATIONS,
  respondJsonValue,
  respondObject,
} from "./respond.ts";
import type { MethodHandlers } from "./routes.ts";
import { tableOfObjects } from "./table.ts";

const PROBE_TIMEOUT_MS = 3_000;
const MEDIA_TYPES = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
] as const;

type Probe = () => Promise<string>;

/** Components keep certificates of their own making on these loopback ports, as upstream knows. */
const agent = new Agent({ rejectUnauthorized: false, keepAlive: false });

function httpsProbe(port: number): Probe {
  return () =>
    new Promise((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port,
        path: "/healthz",
        agent,
        timeout: PROBE_TIMEOUT_MS,
      };
      const request = httpsRequest(options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text = (text + part).slice(0, 1024);
        });
        response.on("end", () => {
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(text));
        });
      });
      request.on("timeout", () => request.destroy(new Error("timed out")));
      request.on("error", (error) => reject(inGoWords(error, port)));
      request.end();
    });
}

/** What Go's client says of a port that nobody listens on; people and scripts look for it. */
function inGoWords(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== "ECONNREFUSED") return error;
  const address = `127.0.0.1:${port}`;
  const cause = `dial tcp ${address}: connect: connection refused`;
  return new Error(`Get "https://${address}/healthz": ${cause}`);
}

export function componentStatusHandlers(scope: RequestScope): {
  readonly collection: MethodHandlers;
  readonly item: MethodHandlers;
} {
  const probes: ReadonlyMap<string, Probe> = new Map([
    ["controller-manager", httpsProbe(10257)],
    ["scheduler", httpsProbe(10259)],
    [
      "etcd-0",
      async () => {
        await scope.api.storeHealth(PROBE_TIMEOUT_MS);
        return "ok";
      },
    ],
  ]);
  const { resource } = scope;
  const list: Handler = async (request) => {
    const offer = { mediaTypes: MEDIA_TYPES, transformations: LIST_TRANSFORMATIONS };
    const negotiated = negotiate(request, offer);
    const objects = await Promise.all([...probes].map(([name, probe]) => statusOf(name, probe)));
    const metadata = {};
    if (negotiated.as === "Table") {
      const table = tableOfObjects(request, resource, objects, metadata);
      return respondJsonValue(request, negotiated, 200, table);
    }
    const { contentType, body } = encodeList(resource, negotiated, metadata, objects);
    return bytesResponse(request, 200, contentType, body);
  };
  const get: Handler = async (request) => {
    const offer = { mediaTypes: MEDIA_TYPES, transformations: OBJECT_TRANSFORMATIONS };
    const negotiated = negotiate(request, offer);
    const { name } = request.info;
    const probe = probes.get(name);
    if (probe === undefined) throw api.notFound(resource.groupResource, name);
    const object = await statusOf(name, probe);
    return respondObject(request, resource, negotiated, 200, object);
  };
  return { collection: { GET: list }, item: { GET: get } };
}

async function statusOf(name: string, probe: Probe): Promise<KubeObject> {
  let condition: Record<string, string>;
  try {
    condition = { type: "Healthy", status: "True", message: await probe() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    condition = { type: "Healthy", status: "False", message };
  }
  const kind = { kind: "ComponentStatus", apiVersion: "v1" };
  return { ...kind, metadata: { name }, conditions: [condition] } as KubeObject;
}
