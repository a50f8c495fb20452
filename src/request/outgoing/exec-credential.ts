/**
 * Credentials that a command prints: `exec` of a kubeconfig's user. The command runs when they are
 * first needed, when they have expired, and after the server has answered 401.
 * Upstream: client-go/plugin/pkg/client/auth/exec.
 */
import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { normalize } from "node:path";

export interface ExecConfig {
  /** `client.authentication.k8s.io/v1`. */
  readonly apiVersion: string;
  /** Absolute, or the name of a command in PATH. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the command is told of the cluster; undefined: nothing. */
  readonly cluster: object | undefined;
}
export interface Credentials {
  /** The value of the Authorization header. */
  readonly authorization: string | undefined;
  /** PEM, both or none. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The command failed, or printed no credential. */
export class ExecError extends Error {
  override readonly name = "ExecError";
}

const VERSIONS = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
/** Who waits for a credential must not wait for ever. */
const RUN_MS = 60_000;
const OUTPUT_BYTES_MAX = 1024 * 1024;

export function isExecVersion(apiVersion: string): boolean {
  return VERSIONS.includes(apiVersion);
}

export class ExecCredentials {
  readonly #config: ExecConfig;
  readonly #now: () => number;
  #current: Credentials | undefined;
  #running: Promise<Credentials> | undefined;

  constructor(config: ExecConfig, now: () => number = Date.now) {
    this.#config = config;
    this.#now = now;
  }

  /** Good ones, from the last run or a new one. Rejects with ExecError. */
  async get(): Promise<Credentials> {
    if (this.#current !== undefined && this.#now() <= this.#current.expiresAt) return this.#current;
    return this.#run();
  }

  /** The server did not take `used`: the next get() has others, unless it has already. */
  refused(used: Credentials): void {
    if (used === this.#current) this.#current = undefined;
  }

  /** At most one process at a time. */
  #run(): Promise<Credentials> {
    this.#running ??= output(this.#config)
      .then((text) => {
        this.#current = read(text, this.#config.apiVersion);
        return this.#current;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}

function output({ apiVersion, command, args, env, cluster }: ExecConfig): Promise<string> {
  const spec = { interactive: false, ...(cluster === undefined ? {} : { cluster }) };
  const info = JSON.stringify({ kind: "ExecCredential", apiVersion, spec });
  return new Promise((resolve, reject) => {
    const child = spawn(normalize(command), args, {
      env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: info },
      stdio: ["ignore", "pipe", "inherit"],
      timeout: RUN_MS,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > OUTPUT_BYTES_MAX) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      const missing = error.code === "ENOENT";
      const why = missing ? `executable ${command} not found` : error.message;
      reject(new ExecError(`exec: ${why}`));
    });
    child.on("close", (code, signal) => {
      if (code === 0) {
        resolve(Buffer.concat(chunks).toString("utf8"));
        return;
      }
      const how = signal === null ? `exit code ${String(code)}` : signal;
      reject(new ExecError(`exec: executable ${command} failed with ${how}`));
    });
  });
}

function read(text: string, apiVersion: string): Credentials {
  const credential = objectOf(parse(text));
  const returned = textOf(credential["apiVersion"]);
  if (textOf(credential["kind"]) !== "ExecCredential" || !isExecVersion(returned)) {
    throw new ExecError("decoding stdout: no ExecCredential");
  }
  if (returned !== apiVersion) {
    throw new ExecError(
      `exec plugin is configured to use API version ${apiVersion}, plugin returned version ${returned}`,
    );
  }
  if (credential["status"] === undefined || credential["status"] === null) {
    throw new ExecError("exec plugin didn't return a status field");
  }
  const status = objectOf(credential["status"]);
  const token = textOf(status["token"]);
  const certificate = textOf(status["clientCertificateData"]);
  const key = textOf(status["clientKeyData"]);
  if (token === "" && certificate === "" && key === "") {
    throw new ExecError("exec plugin didn't return a token or cert/key pair");
  }
  if ((certificate === "") !== (key === "")) {
    throw new ExecError("exec plugin returned only certificate or key, not both");
  }
  if (certificate !== "") checkCertificate(certificate);
  const expires = textOf(status["expirationTimestamp"]);
  const expiresAt = expires === "" ? Number.POSITIVE_INFINITY : Date.parse(expires);
  if (Number.isNaN(expiresAt)) throw new ExecError("decoding stdout: bad expirationTimestamp");
  return {
    authorization: token === "" ? undefined : `Bearer ${token}`,
    certificate: certificate === "" ? undefined : certificate,
    key: key === "" ? undefined : key,
    expiresAt,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ExecError("decoding stdout: no JSON"); // the text may hold a secret
  }
}

function checkCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ExecError(`failed parsing client key/certificate: ${why}`);
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}
const textOf = (value: unknown) => (typeof value === "string" ? value : "");
