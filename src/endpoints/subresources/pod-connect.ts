/**
 * `pods/exec`, `attach` and `portforward`: the client's WebSocket is passed on to the pod's kubelet,
 * message by message. Any other protocol (SPDY/3.1 of old clients) is passed on byte by byte, where
 * the front can hand a connection over; it answers 501 where it can not.
 * Upstream: pkg/registry/core/pod/rest/subresources.go, pkg/registry/core/pod/strategy.go.
 */
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import * as api from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { Pod } from "../../apis/core/v1/types.ts";
import { decodeStored } from "../../registry/generic/object-codec.ts";
import { getObject } from "../../registry/generic/store.ts";
import type { Kube } from "../../registry/strategy-parts.ts";
import type { Upgraded } from "../../request/outgoing/kubelet-client.ts";
import type { AuthorizedRequest, Handler, MessageSocket, Response } from "../../request/request.ts";
import { attributesOf, namespaceOf, type RequestScope } from "../api-context.ts";
import { boolOf } from "../options.ts";
import { checkKubeletAnswer } from "./kubelet-stream.ts";
import { containerOf, kubeletOf } from "./pod-log.ts";

type Connection = "exec" | "attach" | "portforward";
const kinds = {
  exec: "PodExecOptions",
  attach: "PodAttachOptions",
  portforward: "PodPortForwardOptions",
} as const;

/** Clients put their token among the protocols. */
const BEARER_PREFIX = "base64url.bearer.authorization.k8s.io.";
/** What a client may be ahead of its kubelet: it can not be told to wait, so it is cut off. */
const AHEAD_BYTES_MAX = 16 * 1024 * 1024;
const NORMAL = 1000;
const TOO_BIG = 1009;

/** The order of the checks is upstream's: admission, pod, container, node, upgrade. */
export function podConnect(scope: RequestScope, connection: Connection): Handler {
  return async (request): Promise<Response> => {
    const { name } = request.info;
    const namespace = namespaceOf(request, scope.resource);
    await admit(scope, request, connection);
    const stored = await getObject(scope.resource, namespace, name, "");
    const pod = decodeStored<Kube<Pod>>(stored, scope.resource.storageSchema);
    const isForward = connection === "portforward";
    const container = isForward ? "" : containerOf(pod, request.query.get("container") ?? "");
    const nodeName = pod.spec?.nodeName ?? "";
    if (nodeName === "") throw api.badRequest(`pod ${name} does not have a host assigned`);
    const { client, address } = await kubeletOf(scope, nodeName);
    const upgrade = request.headers.get("upgrade") ?? "";
    if (upgrade === "") throw api.badRequest("Upgrade request required");
    const parts = [isForward ? "portForward" : connection, namespace, name, container];
    const path = parts.filter((part) => part !== "").map(encodeURIComponent);
    const query = queryOf(request.query, connection);
    const target = `/${path.join("/")}${query}`;
    if (upgrade.toLowerCase() !== "websocket") {
      const headers = { ...streamProtocols(request), Connection: "Upgrade", Upgrade: upgrade };
      const answer = await client.upgrade(address, target, headers).catch(unreachable);
      return "socket" in answer && "first" in answer
        ? handedOver(answer)
        : refused(answer, connection, name);
    }
    const protocols = (request.headers.get("sec-websocket-protocol") ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "" && !one.startsWith(BEARER_PREFIX));
    const kubelet = await client.connect(address, target, protocols).catch(unreachable);
    if (!(kubelet instanceof WebSocket)) return refused(kubelet, connection, name);
    return relayed(kubelet, request.signal);
  };
}

async function admit(scope: RequestScope, request: AuthorizedRequest, connection: Connection) {
  const kind = kinds[connection];
  const { query } = request;
  const object = {
    kind,
    apiVersion: "v1",
    ...(connection === "portforward"
      ? {}
      : {
          stdin: boolOf(query.get("stdin")),
          stdout: boolOf(query.get("stdout")),
          stderr: boolOf(query.get("stderr")),
          tty: boolOf(query.get("tty")),
          container: query.get("container") ?? "",
        }),
    ...(connection === "exec" ? { command: query.getAll("command") } : {}),
  } as KubeObject;
  const attributes = attributesOf(scope, request, {
    operation: "CONNECT",
    object,
    oldObject: undefined,
    options: {},
    dryRun: false,
    name: request.info.name,
    kind: { group: "", version: "v1", kind },
  });
  await scope.api.admission.admit(attributes);
  await scope.api.admission.validate(attributes);
}

function unreachable(error: Error): never {
  throw api.unknownError(error.message);
}

const STREAM_PROTOCOL = "X-Stream-Protocol-Version";

function streamProtocols(request: AuthorizedRequest): Record<string, readonly string[]> {
  const wanted = request.headerValues(STREAM_PROTOCOL.toLowerCase());
  return wanted.length === 0 ? {} : { [STREAM_PROTOCOL]: wanted };
}

const passedHeaders = ["Connection", "Upgrade", STREAM_PROTOCOL];

/** Bytes both ways. */
function handedOver({ answer, socket: kubelet, first }: Upgraded): Response {
  kubelet.on("error", () => kubelet.destroy());
  const headers = passedHeaders.flatMap((name) => {
    const value = answer.headers[name.toLowerCase()];
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  return {
    kind: "upgrade",
    headers,
    protocol: undefined,
    abandon: () => kubelet.destroy(),
    accept(client) {
      if (first.length > 0) client.write(first);
      kubelet.on("data", (bytes: Buffer) => {
        if (!client.write(bytes)) kubelet.pause();
      });
      client.onDrain(() => kubelet.resume());
      kubelet.once("close", () => client.close());
      kubelet.once("end", () => client.close());
      client.onData((bytes) => {
        kubelet.write(bytes);
        if (kubelet.writableLength > AHEAD_BYTES_MAX) kubelet.destroy();
      });
      client.onClose(() => kubelet.destroy());
    },
  };
}

/** The kubelet's names of the options. */
function queryOf(query: URLSearchParams, connection: Connection): string {
  const out = new URLSearchParams();
  if (connection === "portforward") {
    const ports = query.getAll("ports").join(",");
    if (ports !== "") out.set("port", ports);
  } else {
    for (const command of connection === "exec" ? query.getAll("command") : []) {
      out.append("command", command);
    }
    if (boolOf(query.get("stderr"))) out.set("error", "1");
    if (boolOf(query.get("stdin"))) out.set("input", "1");
    if (boolOf(query.get("stdout"))) out.set("output", "1");
    if (boolOf(query.get("tty"))) out.set("tty", "1");
  }
  const text = out.toString();
  return text === "" ? "" : `?${text}`;
}

async function refused(
  answer: IncomingMessage,
  connection: Connection,
  name: string,
): Promise<never> {
  await checkKubeletAnswer(answer, { group: "", resource: `pods/${connection}` }, name);
  answer.destroy();
  throw api.unknownError("the kubelet did not switch protocols");
}

function relayed(kubelet: WebSocket, signal: AbortSignal): Response {
  const abandon = () => kubelet.terminate();
  signal.addEventListener("abort", abandon);
  const taken = () => signal.removeEventListener("abort", abandon);
  kubelet.once("close", taken);
  return {
    kind: "upgrade",
    headers: [],
    protocol: kubelet.protocol,
    accept: (socket) => {
      kubelet.terminate();
      socket.close();
    },
    abandon: () => kubelet.terminate(),
    acceptMessages: (client) => {
      taken(); // from here on the client's connection ends it, not the request's
      relay(client, kubelet);
    },
  };
}

function relay(client: MessageSocket, kubelet: WebSocket): void {
  kubelet.on("message", (data: Buffer, isBinary: boolean) => {
    if (!client.send(data, isBinary)) kubelet.pause();
  });
  client.onDrain(() => kubelet.resume());
  kubelet.on("error", () => client.close(NORMAL));
  kubelet.on("close", () => client.close(NORMAL));
  client.onMessage((data, isBinary) => {
    if (kubelet.readyState !== WebSocket.OPEN) return;
    kubelet.send(Buffer.from(data), { binary: isBinary });
    if (kubelet.bufferedAmount <= AHEAD_BYTES_MAX) return;
    client.close(TOO_BIG);
    kubelet.terminate();
  });
  client.onClose(() => {
    kubelet.resume();
    kubelet.close();
  });
  kubelet.resume();
}
