/**
 * GET of `pods/log`: what the pod's kubelet has, streamed.
 * Upstream: pkg/registry/core/pod/rest/log.go, pkg/registry/core/pod/strategy.go LogLocation.
 */
import * as api from "../../apimachinery/api/errors.ts";
import { formatTime, parseTime } from "../../apimachinery/runtime/time.ts";
import type { ErrorList } from "../../apimachinery/validation/field.ts";
import * as field from "../../apimachinery/validation/field.ts";
import type { Node, Pod } from "../../apis/core/v1/types.ts";
import { decodeStored } from "../../registry/generic/object-codec.ts";
import { getObject } from "../../registry/generic/store.ts";
import type { Kube } from "../../registry/strategy-parts.ts";
import type { KubeletAddress, KubeletClient } from "../../request/outgoing/kubelet-client.ts";
import type { Handler, Response } from "../../request/request.ts";
import { namespaceOf, type RequestScope } from "../api-context.ts";
import { boolOf, intOf } from "../options.ts";
import { checkKubeletAnswer, streamOf } from "./kubelet-stream.ts";

const STREAMS = ["All", "Stderr", "Stdout"];

interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceSeconds: number | undefined;
  /** As metav1.Time prints. */
  readonly sinceTime: string | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly skipsVerification: boolean;
  readonly stream: string | undefined;
}

/** The order of the checks is upstream's: options, pod, container, node. */
export function podLog(scope: RequestScope): Handler {
  const selectsStream = scope.api.settings.gate("PodLogsQuerySplitStreams");
  return async (request): Promise<Response> => {
    const { name } = request.info;
    const options = parseLogOptions(request.query);
    const errors = logOptionsErrors(options, selectsStream);
    if (errors.length > 0) throw api.invalid({ group: "", kind: "PodLogOptions" }, name, errors);
    const namespace = namespaceOf(request, scope.resource);
    const stored = await getObject(scope.resource, namespace, name, "");
    const pod = decodeStored<Kube<Pod>>(stored, scope.resource.storageSchema);
    const container = containerOf(pod, options.container);
    const nodeName = pod.spec?.nodeName ?? "";
    if (nodeName === "") return { kind: "bytes", status: 204, headers: [], body: "" };
    const { client, address } = await kubeletOf(scope, nodeName);
    const path = `/containerLogs/${[namespace, name, container].map(encodeURIComponent).join("/")}`;
    const message = await client
      .get(address, `${path}${queryOf(options, selectsStream)}`, {
        skipsVerification: options.skipsVerification,
        signal: request.signal,
      })
      .catch((error: Error) => {
        throw api.unknownError(error.message);
      });
    await checkKubeletAnswer(message, { group: "", resource: "pods/log" }, name);
    return streamOf(message, [["Content-Type", "text/plain"]]);
  };
}

/** The kubelet of a node: 404 without the node, 500 where it has no usable address. */
export async function kubeletOf(
  { api: { kubelet, resourceOf } }: RequestScope,
  nodeName: string,
): Promise<{ readonly client: KubeletClient; readonly address: KubeletAddress }> {
  const nodes = resourceOf("", "nodes");
  if (kubelet === undefined || nodes === undefined) throw api.notImplemented("calling kubelets");
  const stored = await getObject(nodes, "", nodeName, "").catch((error: unknown) => {
    const isMissing = error instanceof api.StatusError && error.reason === "NotFound";
    // Upstream asks for the node in the pod's request: the error is of its resource.
    throw isMissing ? api.notFound({ group: "", resource: "pods" }, nodeName) : error;
  });
  const node = decodeStored<Kube<Node>>(stored, nodes.storageSchema);
  try {
    return { client: kubelet, address: kubelet.addressOf(node) };
  } catch (error) {
    throw api.unknownError(error instanceof Error ? error.message : String(error));
  }
}

/** The container meant: the only one when none is named. Throws BadRequest. */
export function containerOf({ metadata, spec }: Kube<Pod>, wanted: string): string {
  const name = metadata?.name ?? "";
  const containers = spec?.containers ?? [];
  const all = [
    ...(spec?.initContainers ?? []),
    ...containers,
    ...(spec?.ephemeralContainers ?? []),
  ].map((one) => one.name ?? "");
  if (wanted !== "") {
    if (all.includes(wanted)) return wanted;
    throw api.badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const [only] = containers;
  if (containers.length === 1) return only?.name ?? "";
  const choice = containers.length === 0 ? "" : `, choose one of: [${all.join(" ")}]`;
  throw api.badRequest(`a container name must be specified for pod ${name}${choice}`);
}

function parseLogOptions(query: URLSearchParams): LogOptions {
  return {
    container: query.get("container") ?? "",
    follow: boolOf(query.get("follow")),
    previous: boolOf(query.get("previous")),
    timestamps: boolOf(query.get("timestamps")),
    sinceSeconds: intOf(query.get("sinceSeconds")),
    sinceTime: timeOf(query.get("sinceTime")),
    tailLines: intOf(query.get("tailLines")),
    limitBytes: intOf(query.get("limitBytes")),
    skipsVerification: boolOf(query.get("insecureSkipTLSVerifyBackend")),
    stream: query.get("stream") ?? undefined,
  };
}

function timeOf(text: string | null): string | undefined {
  if (text === null || text === "") return undefined;
  try {
    return formatTime(parseTime(text));
  } catch (error) {
    throw api.badRequest(error instanceof Error ? error.message : String(error));
  }
}

/** Upstream: ValidatePodLogOptions. */
function logOptionsErrors(options: LogOptions, selectsStream: boolean): ErrorList {
  const { tailLines, limitBytes, sinceSeconds, sinceTime, stream } = options;
  const errors: ErrorList = [];
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(field.invalid("tailLines", tailLines, "must be greater than or equal to 0"));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(field.invalid("limitBytes", limitBytes, "must be greater than 0"));
  }
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    const detail = "at most one of `sinceTime` or `sinceSeconds` may be specified";
    errors.push(field.forbidden("", detail));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(field.invalid("sinceSeconds", sinceSeconds, "must be greater than 0"));
  }
  if (stream === undefined) return errors;
  if (!selectsStream) {
    errors.push(field.forbidden("stream", "may not be specified"));
    return errors;
  }
  if (!STREAMS.includes(stream)) errors.push(field.notSupported("stream", stream, STREAMS));
  if (stream !== "All" && tailLines !== undefined) {
    const detail = "`tailLines` and specific `stream` are mutually exclusive for now";
    errors.push(field.forbidden("", detail));
  }
  return errors;
}

/** As Go's url.Values prints: sorted by key. */
function queryOf(options: LogOptions, selectsStream: boolean): string {
  const { follow, previous, timestamps, sinceSeconds, sinceTime, tailLines, limitBytes } = options;
  const query = new URLSearchParams();
  if (follow) query.set("follow", "true");
  if (limitBytes !== undefined) query.set("limitBytes", String(limitBytes));
  if (previous) query.set("previous", "true");
  if (sinceSeconds !== undefined) query.set("sinceSeconds", String(sinceSeconds));
  if (sinceTime !== undefined) query.set("sinceTime", sinceTime);
  if (selectsStream) query.set("stream", options.stream ?? "All");
  if (tailLines !== undefined) query.set("tailLines", String(tailLines));
  if (timestamps) query.set("timestamps", "true");
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
