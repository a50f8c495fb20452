/**
 * A kubeconfig file, as far as webhooks use them: one server, and how to be known to it.
 * Upstream: client-go/tools/clientcmd; apiserver/pkg/util/webhook LoadKubeconfig.
 */
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { parseYaml } from "../../apimachinery/runtime/yaml-library.ts";
import { ExecCredentials, isExecVersion } from "./exec-credential.ts";

export interface ServerConnection {
  /** `https://host:port/path`. */
  readonly server: string;
  /** PEM; undefined: the system's authorities. */
  readonly authorities: string | undefined;
  readonly insecure: boolean;
  /** Name to expect in the certificate; undefined: the host. */
  readonly serverName: string | undefined;
  /** PEM. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** The value of the Authorization header. */
  readonly authorization: string | undefined;
  /** Asked for what the fields above do not have. */
  readonly exec?: ExecCredentials | undefined;
  /** Where to connect to instead of the server's own host and port. */
  readonly connectTo?: { readonly host: string; readonly port: number };
}

/** The file can not be used; the message does not hold its contents. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads the current context of the file at `path`. Throws KubeconfigError, and node's file errors. */
export function loadKubeconfig(path: string): ServerConnection {
  let parsed: unknown;
  const text = readFileSync(path, "utf8");
  try {
    parsed = parseYaml(text);
  } catch {
    throw new KubeconfigError("is no YAML");
  }
  const config = fieldsOf(parsed);
  const contextName = textOf(config["current-context"]);
  const context = named(config["contexts"], contextName, "context");
  if (context === undefined) throw new KubeconfigError("has no current context");
  const cluster = named(config["clusters"], textOf(context["cluster"]), "cluster");
  if (cluster === undefined) throw new KubeconfigError("has no cluster for its context");
  const user = named(config["users"], textOf(context["user"]), "user") ?? {};
  for (const unsupported of ["auth-provider", "impersonate", "as"]) {
    if (user[unsupported] !== undefined) {
      throw new KubeconfigError(`uses ${unsupported}, which this server does not support`);
    }
  }
  const folder = dirname(path);
  const server = textOf(cluster["server"]);
  if (!/^https?:\/\//.test(server)) throw new KubeconfigError("has no usable server URL");
  const userName = textOf(context["user"]);
  const authorities = pemOf(cluster, "certificate-authority", folder);
  const given = {
    certificate: pemOf(user, "client-certificate", folder),
    key: pemOf(user, "client-key", folder),
    authorization: authorizationOf(user, folder),
  };
  const hasOwn = given.certificate !== undefined || given.authorization !== undefined;
  const exec = execOf(user, { userName, folder, cluster: { ...cluster, server }, authorities });
  return {
    server,
    authorities,
    insecure: cluster["insecure-skip-tls-verify"] === true,
    serverName: textOf(cluster["tls-server-name"]) || undefined,
    ...given,
    exec: hasOwn ? undefined : exec,
  };
}

interface ExecContext {
  readonly userName: string;
  readonly folder: string;
  readonly cluster: Fields;
  readonly authorities: string | undefined;
}

/** Upstream: clientcmd's validateAuthInfo. Throws KubeconfigError. */
function execOf(user: Fields, context: ExecContext): ExecCredentials | undefined {
  if (user["exec"] === undefined || user["exec"] === null) return undefined;
  const exec = fieldsOf(user["exec"]);
  const { folder, userName } = context;
  const required = (name: string): string => {
    const value = textOf(exec[name]);
    if (value !== "") return value;
    const use = `for ${userName} to use exec authentication plugin`;
    throw new KubeconfigError(`${name} must be specified ${use}`);
  };
  const command = required("command");
  const apiVersion = required("apiVersion");
  if (!isExecVersion(apiVersion)) {
    throw new KubeconfigError(`exec plugin: invalid apiVersion ${JSON.stringify(apiVersion)}`);
  }
  const mode = apiVersion.endsWith("/v1") ? required("interactiveMode") : exec["interactiveMode"];
  if (mode === "Always") {
    throw new KubeconfigError(
      "exec plugin cannot support interactive mode: standard input is not a terminal",
    );
  }
  return new ExecCredentials({
    apiVersion,
    command: command.includes("/") ? resolved(command, folder) : command,
    args: listOf(exec["args"]).map(textOf),
    env: Object.fromEntries(
      listOf(exec["env"]).map((one) => {
        const { name, value } = fieldsOf(one);
        return [textOf(name), textOf(value)];
      }),
    ),
    cluster: exec["provideClusterInfo"] === true ? clusterInfo(context) : undefined,
  });
}

const EXEC_EXTENSION = "client.authentication.k8s.io/exec";

function clusterInfo({ cluster, authorities }: ExecContext): object {
  const config = named(cluster["extensions"], EXEC_EXTENSION, "extension");
  const name = textOf(cluster["tls-server-name"]);
  const data = authorities === undefined ? "" : Buffer.from(authorities).toString("base64");
  return {
    server: cluster["server"],
    ...(name === "" ? {} : { "tls-server-name": name }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { "insecure-skip-tls-verify": true } : {}),
    ...(data === "" ? {} : { "certificate-authority-data": data }),
    config: config ?? null,
  };
}

function authorizationOf(user: Fields, folder: string): string | undefined {
  const file = textOf(user["tokenFile"]);
  const token = file === "" ? textOf(user["token"]) : readFileSync(resolved(file, folder), "utf8");
  if (token.trim() !== "") return `Bearer ${token.trim()}`;
  const name = textOf(user["username"]);
  if (name === "") return undefined;
  return `Basic ${Buffer.from(`${name}:${textOf(user["password"])}`).toString("base64")}`;
}

function pemOf(fields: Fields, name: string, folder: string): string | undefined {
  const data = textOf(fields[`${name}-data`]);
  if (data !== "") return Buffer.from(data, "base64").toString("utf8");
  const file = textOf(fields[name]);
  return file === "" ? undefined : readFileSync(resolved(file, folder), "utf8");
}

const resolved = (file: string, folder: string) => (isAbsolute(file) ? file : join(folder, file));

function named(list: unknown, name: string, member: string): Fields | undefined {
  if (!Array.isArray(list)) return undefined;
  const found = list.map((one) => fieldsOf(one)).find((one) => one["name"] === name);
  return found === undefined ? undefined : fieldsOf(found[member]);
}
function fieldsOf(value: unknown): Fields {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : {};
}
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown) => (typeof value === "string" ? value : "");
