/**
 * Connections to admission webhooks, kept open between calls.
 * Upstream: apiserver/pkg/util/webhook/client.go, serviceresolver.go; kube-aggregator's resolvers.
 */
import { isIP } from "node:net";
import { LRUCache } from "lru-cache";
import type { PostReview } from "./admission/dynamic/webhook.ts";
import type { Listers } from "./admission/plugin.ts";
import type {
  ServiceReference,
  WebhookClientConfig,
} from "./apis/admissionregistration/v1/types.ts";
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
    const place = await placeOf(config, timeoutSeconds, listers);
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
  const url = urlOf(config, timeoutSeconds);
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

function urlOf({ url, service }: WebhookClientConfig, timeoutSeconds: number): URL {
  const parsed = new URL(service === undefined ? (url ?? "") : serviceUrl(service));
  parsed.searchParams.set("timeout", `${timeoutSeconds}s`);
  return parsed;
}

function serviceUrl({
  name = "",
  namespace = "",
  path = "",
  port = PORT_DEFAULT,
}: ServiceReference) {
  return `https://${name}.${namespace}.svc:${port}${path.startsWith("/") ? path : `/${path}`}`;
}

/** Where to connect to for a service. Throws an Error that says why there is no place. */
async function placeOf(
  config: WebhookClientConfig,
  timeoutSeconds: number,
  listers: Listers,
): Promise<Place | undefined> {
  const { service } = config;
  if (service === undefined) return undefined;
  const nowhere = (why: string) => {
    const { href, host } = urlOf(config, timeoutSeconds);
    // Messages name the port though it is the default one.
    const named = href.replace(host, /:\d+$/.test(host) ? host : `${host}:${PORT_DEFAULT}`);
    return new Error(`Post "${named}": ${why}`);
  };
  const { name = "", namespace = "", port = PORT_DEFAULT } = service;
  const found = await listers.get<Service>({ group: "", resource: "services" }, namespace, name);
  if (found === undefined) throw nowhere(`service "${name}" not found`);
  const { type, clusterIP = "", externalName = "", ports = [] } = found.spec ?? {};
  if (type === "ExternalName") return { host: externalName, port };
  if (isIP(clusterIP) === 0) {
    throw nowhere(`cannot route to service with ClusterIP "${clusterIP}"`);
  }
  if (!ports.some((one) => one.port === port)) {
    throw nowhere(`no service port ${port} found for service "${name}"`);
  }
  return { host: clusterIP, port };
}
