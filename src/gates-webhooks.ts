/**
 * Connections to admission webhooks, kept open between calls.
 * Upstream: apiserver/pkg/util/webhook/client.go, serviceresolver.go; kube-aggregator's resolvers.
 */
import { isIP } from "node:net";
import { LRUCache } from "lru-cache";
import type { PostReview } from "./admission/dynamic/webhook.ts";
import type { Listers } from "./admission/plugin.ts";
import type { WebhookClientConfig } from "./apis/admissionregistration/v1/types.ts";
import type { Service } from "./apis/core/v1/types.ts";
import { WebhookClient } from "./request/outgoing/webhook-client.ts";

/** Webhooks whose connections are kept; the least lately called ones are closed first. */
const CLIENTS_MAX = 1000;
const PORT_DEFAULT = 443;

/** What a service's name stands for right now. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** Posts reviews to URLs, and to services at their cluster IP. */
export function createPostReview(listers: Listers): PostReview {
  const clients = new LRUCache<string, WebhookClient>({
    max: CLIENTS_MAX,
    dispose: (client) => client.close(),
  });
  return async (config, timeoutSeconds, body) => {
    const place = await placeOf(config, listers);
    const key = JSON.stringify([config, timeoutSeconds, place]);
    const client = clients.get(key) ?? clientOf(config, timeoutSeconds, place);
    clients.set(key, client);
    return client.post(body);
  };
}

function clientOf(
  config: WebhookClientConfig,
  timeoutSeconds: number,
  place: Place | undefined,
): WebhookClient {
  const url = new URL(urlOf(config));
  url.searchParams.set("timeout", `${timeoutSeconds}s`);
  const { caBundle } = config;
  return new WebhookClient(
    {
      server: url.href,
      authorities: caBundle === undefined ? undefined : Buffer.from(caBundle, "base64").toString(),
      insecure: false,
      serverName: config.service === undefined ? undefined : url.hostname,
      certificate: undefined,
      key: undefined,
      authorization: undefined,
      ...(place === undefined ? {} : { connectTo: place }),
    },
    { timeoutMs: timeoutSeconds * 1000, retry: { initialDelayMs: 0, factor: 1, tries: 1 } },
  );
}

function urlOf({ url, service }: WebhookClientConfig): string {
  if (service === undefined) return url ?? "";
  const { name = "", namespace = "", path = "", port = PORT_DEFAULT } = service;
  return `https://${name}.${namespace}.svc:${port}${path.startsWith("/") ? path : `/${path}`}`;
}

/** Where to connect to for a service. Throws an Error that says why there is no place. */
async function placeOf(
  { service }: WebhookClientConfig,
  listers: Listers,
): Promise<Place | undefined> {
  if (service === undefined) return undefined;
  const { name = "", namespace = "", port = PORT_DEFAULT } = service;
  const found = await listers.get<Service>({ group: "", resource: "services" }, namespace, name);
  if (found === undefined) throw new Error(`service "${name}" not found`);
  const { type, clusterIP = "", externalName = "", ports = [] } = found.spec ?? {};
  if (type === "ExternalName") return { host: externalName, port };
  if (isIP(clusterIP) === 0) {
    throw new Error(`cannot route to service with ClusterIP "${clusterIP}"`);
  }
  if (!ports.some((one) => one.port === port)) {
    throw new Error(`no service port ${port} found for service "${name}"`);
  }
  return { host: clusterIP, port };
}
