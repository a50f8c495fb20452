/** Answers of the registry to recorded creates, and how they differ from the recorded answers. */
import { readFileSync } from "node:fs";
import { StatusError } from "../../src/apimachinery/api/errors.ts";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import { decodeJson } from "../../src/apimachinery/runtime/json-decode.ts";
import { FeatureGates } from "../../src/options/feature-gates.ts";
import { encodeAsStored } from "../../src/registry/generic/object-codec.ts";
import { createObject, type WriteContext } from "../../src/registry/generic/store.ts";
import { installResources, type ServedResources } from "../../src/registry/install.ts";
import { createStorageFactory } from "../../src/storage/factory.ts";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import { imitateAdmission } from "./admission.ts";

export interface Answer {
  readonly code: number;
  readonly body?: unknown;
  readonly warnings?: readonly string[];
}
export interface Exchange {
  readonly id: string;
  readonly family: string;
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly answer: Answer;
}

const COLLECTION = /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))(?:\/namespaces\/([^/]+))?\/([a-z]+)$/;
/** Undecodable bodies and wrong routes. */
const LEFT_OUT = new Set([400, 405, 415]);
export const RECORDINGS = "../shared/golden/exchanges.jsonl";
/** Differ from run to run. */
const VOLATILE = new Set([
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "time",
  "clusterIP",
  "clusterIPs",
  "nodePort",
  "healthCheckNodePort",
  "lastPhaseTransitionTime",
]);

function install(): ServedResources {
  const backend = createModelBackend();
  return installResources({
    storage: createStorageFactory(backend),
    isServed: (resource) => resource.default,
    storageMediaType: "json",
    hookSettings: {
      serviceClusterIpRanges: ["10.0.0.0/24"],
      serviceNodePortRange: { first: 30000, last: 32767 },
      backend,
      etcdPrefix: "/registry",
    },
  });
}

const served = install();
const gates = new FeatureGates();

async function answerOf(exchange: Exchange, text: string): Promise<Answer | undefined> {
  const { pathname } = new URL(exchange.path, "http://localhost");
  const [, core, group = "", named, namespace = "", plural = ""] = COLLECTION.exec(pathname) ?? [];
  const version = core ?? named ?? "";
  const resource = served.lookup(group, version, plural);
  if (resource === undefined) return undefined;
  const warnings: string[] = [];
  const context: WriteContext = {
    user: { name: "golden", uid: "", groups: ["system:masters"], extra: {} },
    namespace,
    requestApiVersion: group === "" ? version : `${group}/${version}`,
    subresource: "",
    dryRun: true,
    gate: (name) => gates.gate(name),
    allowPrivileged: true,
    now: () => new Date(),
    storage: (ofGroup, name) => served.find(ofGroup, name)?.storage,
    addWarning: (text) => warnings.push(`299 - ${JSON.stringify(text)}`),
  };
  try {
    const decoded = decodeJson(text, resource.schema, {
      strict: "Ignore",
    });
    const body = decoded.object as unknown as KubeObject;
    resource.setDefaults(body);
    const object = resource.toStorage(body);
    object.kind = resource.storageKind.kind;
    object.metadata ??= {};
    if (namespace !== "") object.metadata.namespace ||= namespace;
    imitateAdmission(plural, object);
    const written = await createObject(resource, context, object, async () => {});
    resource.hooks?.decorate?.(written.object);
    const bytes = encodeAsStored(resource.fromStorage(written.object), resource.schema, true);
    return { code: 201, body: JSON.parse(new TextDecoder().decode(bytes)), warnings };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { code: error.code, body: error.status, warnings };
  }
}

/** The value with volatile parts masked and keys sorted. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value === "string") return value.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "*");
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "managedFields");
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, item]) => [key, VOLATILE.has(key) && item !== null ? "*" : masked(item)]),
  );
}

/** Warnings of the registry: others come with decoding and from the deprecated API itself. */
function ownWarnings({ warnings = [] }: Answer): string[] {
  return warnings.filter((text) => !/"(?:unknown|duplicate) field |is deprecated in v/.test(text));
}

interface StatusBody {
  details?: { causes?: { reason?: string; field?: string }[] };
}

function causes({ body }: Answer): string {
  const found = (body as StatusBody | undefined)?.details?.causes ?? [];
  return JSON.stringify(found.map(({ reason, field }) => [reason, field]).sort());
}

function comparable(answer: Answer): unknown {
  return { code: answer.code, body: masked(answer.body), warnings: ownWarnings(answer) };
}

/** Where two values part, one line each. */
function differences(want: unknown, got: unknown, at: string): string[] {
  if (JSON.stringify(want) === JSON.stringify(got)) return [];
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  if (!isObject(want) || !isObject(got)) {
    return [`  ${at}\n    want ${JSON.stringify(want)}\n    got  ${JSON.stringify(got)}`];
  }
  const [left, right] = [want as Record<string, unknown>, got as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return keys.flatMap((key) => differences(left[key], right[key], `${at}.${key}`));
}

/** The body as recorded: parsing would round large numbers. */
function bodyText(line: string): string {
  const start = line.indexOf('"body":') + '"body":'.length;
  return line.slice(start, line.indexOf(',"contentType":', start));
}

function isCandidate({ method, path, contentType, body, answer }: Exchange): boolean {
  if (method !== "POST" || contentType !== "application/json") return false;
  if (typeof body !== "object" || body === null || "$latin1" in body) return false;
  const isOptions = JSON.stringify(answer.body ?? "").includes("CreateOptions");
  return COLLECTION.test(new URL(path, "http://localhost").pathname) && !isOptions;
}

export interface Comparison {
  readonly exchange: Exchange;
  readonly resource: string;
  readonly sameCode: boolean;
  readonly sameCauses: boolean;
  /** Where the answers part; empty when they are the same. */
  readonly differences: readonly string[];
}

/** Compares every recorded create of these resources; all resources when none is named. */
export async function* compareCreates(
  resources: ReadonlySet<string>,
  file: string,
): AsyncGenerator<Comparison> {
  for (const line of readFileSync(file, "utf8").trim().split("\n")) {
    const exchange = JSON.parse(line) as Exchange;
    const { answer: want } = exchange;
    if (!isCandidate(exchange) || LEFT_OUT.has(want.code)) continue;
    const { pathname } = new URL(exchange.path, "http://localhost");
    const resource = pathname.split("/").at(-1) ?? "";
    if (resources.size > 0 && !resources.has(resource)) continue;
    const got = await answerOf(exchange, bodyText(line));
    if (got === undefined) continue;
    const sameCode = got.code === want.code;
    yield {
      exchange,
      resource,
      sameCode,
      sameCauses: sameCode && causes(got) === causes(want),
      differences: differences(comparable(want), comparable(got), ""),
    };
  }
}
