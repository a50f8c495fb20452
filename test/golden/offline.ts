/**
 * Runs the registry on recorded creates of a real kube-apiserver v1.36, in this process: decoding,
 * defaults, strategy, validation, warnings. No server, no admission (what the default plugins do is
 * imitated), no authorization.
 *
 *   npx tsx test/golden/offline.ts RESOURCE[,RESOURCE...] [--family NAME] [--show N] [--file PATH]
 *
 * RESOURCE: plural name, e.g. pods, or `all`. Per resource and family: cases, equal status code,
 * equal causes (reason, field), equal whole answer (with messages, warnings and the object; volatile
 * fields masked). --show N prints the first N differences of each resource. Without the recordings
 * the tool says so and ends.
 *
 * Cases where the answer comes from before or beside the registry are left out: bodies that cannot
 * be decoded (400, 415) and bad query options.
 */
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { StatusError } from "../../src/apimachinery/api/errors.ts";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import { decodeJson } from "../../src/apimachinery/runtime/json-decode.ts";
import { FeatureGates } from "../../src/options/feature-gates.ts";
import { encodeObject } from "../../src/registry/generic/object-codec.ts";
import { createObject, type WriteContext } from "../../src/registry/generic/store.ts";
import { installResources, type ServedResources } from "../../src/registry/install.ts";
import { createStorageFactory } from "../../src/storage/factory.ts";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import { imitateAdmission } from "./admission.ts";

interface Answer {
  readonly code: number;
  readonly body?: unknown;
  readonly warnings?: readonly string[];
}
interface Exchange {
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
const FILE = "../shared/golden/exchanges.jsonl";
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

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    family: { type: "string" },
    show: { type: "string", default: "3" },
    file: { type: "string", default: FILE },
  },
});

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
    const bytes = encodeObject(resource.fromStorage(written.object), resource.schema);
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

const whole = (answer: Answer) => JSON.stringify(comparable(answer));

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

async function main(): Promise<void> {
  if (!existsSync(flags.file)) {
    console.log(`No recordings at ${flags.file}`);
    return;
  }
  const wanted = new Set(positionals.flatMap((names) => names.split(",")));
  const scores = new Map<string, number[]>();
  const shown = new Map<string, number>();
  for (const line of readFileSync(flags.file, "utf8").trim().split("\n")) {
    const exchange = JSON.parse(line) as Exchange;
    const { family, answer: want } = exchange;
    if (!isCandidate(exchange) || LEFT_OUT.has(want.code)) continue;
    const plural = new URL(exchange.path, "http://localhost").pathname.split("/").at(-1) ?? "";
    if (!wanted.has("all") && !wanted.has(plural)) continue;
    if (flags.family !== undefined && family !== flags.family) continue;
    const got = await answerOf(exchange, bodyText(line));
    if (got === undefined) continue;
    const key = `${plural} ${family}`;
    const score = scores.get(key) ?? [0, 0, 0, 0];
    scores.set(key, score);
    const sameCode = got.code === want.code;
    const sameCauses = sameCode && causes(got) === causes(want);
    const same = sameCode && whole(got) === whole(want);
    for (const [i, hit] of [true, sameCode, sameCauses, same].entries()) {
      score[i] = (score[i] ?? 0) + Number(hit);
    }
    if (same || (shown.get(plural) ?? 0) >= Number(flags.show)) continue;
    shown.set(plural, (shown.get(plural) ?? 0) + 1);
    console.log(exchange.id, key, JSON.stringify(exchange.body).slice(0, 1500));
    for (const text of differences(comparable(want), comparable(got), "")) console.log(text);
  }
  for (const [key, [all, code, sameCauses, same]] of [...scores].sort()) {
    console.log(key.padEnd(40), all, "code", code, "causes", sameCauses, "whole", same);
  }
}

await main();
process.exit(0);
