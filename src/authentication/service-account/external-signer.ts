/**
 * Service account tokens signed by a plugin behind a unix socket, which also tells the keys they
 * are verified with. Upstream: pkg/serviceaccount/externaljwt/plugin, k8s.io/externaljwt/apis/v1.
 */
import { createPublicKey } from "node:crypto";
import { FRAME_HEADER, frame, GrpcError } from "../../storage/etcd3/grpc-status.ts";
import { PluginConnection } from "../../storage/etcd3/plugin-connection.ts";
import { WireReader, WireWriter } from "../../storage/etcd3/wire.ts";
import { recordFetch, recordSign, timeCall } from "./external-metrics.ts";
import { isAlgorithm, keyWithId, type VerificationKey } from "./keys.ts";

const SERVICE = "/v1.ExternalJWTSigner";
const KEY_SYNC_TIMEOUT_MS = 60_000;
const METADATA_TIMEOUT_MS = 10_000;
/** Of the request that waits for a token; upstream waits as long as the request lives. */
const SIGN_TIMEOUT_MS = 30_000;
const FALLBACK_REFRESH_MS = 10_000;
/** While the plugin does not answer at its socket, calls wait and try again this often. */
const RECONNECT_MS = 250;
const KEY_ID_LENGTH_MAX = 1024;
const MIN_TOKEN_SECONDS = 600;

export interface ExternalKey extends VerificationKey {
  /** Verifies old tokens; others are not told of it, and nothing new may be signed with it. */
  readonly excludedFromDiscovery: boolean;
}

export interface ExternalSignerOptions {
  /** The path of a unix socket, or `@` and the name of an abstract one. */
  readonly socket: string;
  readonly log: (message: string, error?: unknown) => void;
}

interface KeySet {
  readonly keys: readonly ExternalKey[];
  /** When the plugin wants to be asked again, ms since 1970. */
  readonly refreshAt: number;
}

export class ExternalSigner {
  readonly #options: ExternalSignerOptions;
  readonly #closed = new AbortController();
  readonly #connection: PluginConnection;
  #keys: KeySet = { keys: [], refreshAt: 0 };
  #syncing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #maxExpirationSeconds = 0;

  private constructor(options: ExternalSignerOptions) {
    this.#options = options;
    const socket = options.socket.replace(/^@/, "\0");
    this.#connection = new PluginConnection(socket, this.#closed.signal);
  }

  /** Resolves once the plugin has told its keys and metadata; rejects when it can not be used. */
  static async start(options: ExternalSignerOptions): Promise<ExternalSigner> {
    const signer = new ExternalSigner(options);
    try {
      await signer.#sync().catch((error) => {
        const what = "while initially filling key cache: while performing initial cache fill";
        throw new Error(`while setting up external-jwt-signer: ${what}: ${textOf(error)}`);
      });
      signer.#schedule(signer.#keys.refreshAt - Date.now());
      await signer.#readMetadata();
      return signer;
    } catch (error) {
      signer.close();
      throw error;
    }
  }

  /** At least 600: the longest life of a token that the plugin signs. */
  get maxExpirationSeconds(): number {
    return this.#maxExpirationSeconds;
  }

  /** Every key known now. */
  get keys(): readonly ExternalKey[] {
    return this.#keys.keys;
  }

  /** How long others may keep the keys, in seconds. */
  get cacheSeconds(): number {
    return Math.max(0, Math.trunc((this.#keys.refreshAt - Date.now()) / 1000));
  }

  /** The keys of that id, "" for all. An unknown id makes the plugin tell its keys again. */
  async keysFor(keyId: string): Promise<readonly ExternalKey[]> {
    if (keyId === "") return this.#keys.keys;
    const known = this.#find(keyId);
    if (known.length > 0) return known;
    await this.#sync().catch((error) => this.#options.log("Error while syncing keys", error));
    return this.#find(keyId);
  }

  /** A token with these claims, in the order given. Rejects with what is wrong. */
  async sign(claims: Readonly<Record<string, unknown>>): Promise<string> {
    try {
      const token = await this.#signed(claims);
      recordSign(undefined);
      return token;
    } catch (error) {
      recordSign(error);
      throw error;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closed.abort();
    this.#connection.close();
  }

  async #signed(claims: Readonly<Record<string, unknown>>): Promise<string> {
    const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
    const request = new WireWriter(payload.length + 64, FRAME_HEADER).string(1, payload);
    const answer = await this.#call("Sign", request, SIGN_TIMEOUT_MS).catch((error) => {
      throw wrapped("while signing jwt", error);
    });
    const { header, signature } = readSignResponse(answer);
    const keyId = readHeader(header);
    if ((await this.keysFor(keyId)).some((key) => key.excludedFromDiscovery)) {
      const what = `key used for signing JWT (kid: ${keyId}) is excluded from OIDC discovery docs`;
      throw new Error(`while validating header: ${what}`);
    }
    if (signature === "") throw new Error("empty signature returned");
    return `${header}.${payload}.${signature}`;
  }

  #find(keyId: string): readonly ExternalKey[] {
    return this.#keys.keys.filter((key) => key.keyId === keyId);
  }

  /** At most one at a time: whoever asks meanwhile waits for the same answer. */
  #sync(): Promise<void> {
    this.#syncing ??= this.#fetchKeys().finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  async #fetchKeys(): Promise<void> {
    try {
      const request = new WireWriter(16, FRAME_HEADER);
      const answer = await this.#call("FetchKeys", request, KEY_SYNC_TIMEOUT_MS).catch((error) => {
        throw wrapped("while getting externally supported jwt signing keys", error);
      });
      this.#keys = readKeys(answer);
      recordFetch(undefined);
    } catch (error) {
      recordFetch(error);
      throw wrapped("while fetching token verification keys", error);
    }
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(
      () => {
        this.#sync().then(
          () => this.#schedule(this.#keys.refreshAt - Date.now()),
          (error) => {
            this.#options.log("Syncing public keys failed; the old ones stay", error);
            this.#schedule(FALLBACK_REFRESH_MS);
          },
        );
      },
      Math.min(Math.max(delayMs, 0), 2 ** 31 - 1),
    );
    this.#timer.unref();
  }

  async #readMetadata(): Promise<void> {
    const request = new WireWriter(16, FRAME_HEADER);
    const answer = await this.#call("Metadata", request, METADATA_TIMEOUT_MS).catch((error) => {
      throw wrapped("while setting up external-jwt-signer", error);
    });
    const reader = new WireReader(answer);
    let seconds = 0;
    for (let field = reader.field(); field !== 0; field = reader.field()) {
      if (field === 1) seconds = reader.int();
      else reader.skip();
    }
    if (seconds < MIN_TOKEN_SECONDS) {
      throw new Error(
        `max token life supported by external-jwt-signer (${seconds}s) is less than acceptable (min ${MIN_TOKEN_SECONDS}s)`,
      );
    }
    this.#maxExpirationSeconds = seconds;
  }

  /** Waits for the plugin, as gRPC's WaitForReady does, within the time of the call. */
  async #call(method: string, request: WireWriter, timeoutMs: number): Promise<Buffer> {
    const path = `${SERVICE}/${method}`;
    const end = Date.now() + timeoutMs;
    const body = frame(request.finish());
    return timeCall(path, async () => {
      for (;;) {
        const options = { timeoutMs: Math.max(1, end - Date.now()), token: undefined };
        try {
          const connection = await this.#connection.get();
          return await connection.unary(path, body, { ...options, signal: this.#closed.signal });
        } catch (error) {
          const mayRepeat = error instanceof GrpcError && !error.sent;
          if (!mayRepeat || this.#closed.signal.aborted || Date.now() + RECONNECT_MS > end) {
            throw error;
          }
          await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
        }
      }
    });
  }
}

function readSignResponse(bytes: Buffer): { header: string; signature: string } {
  const reader = new WireReader(bytes);
  const response = { header: "", signature: "" };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) response.header = reader.string();
    else if (field === 2) response.signature = reader.string();
    else reader.skip();
  }
  return response;
}

const HEADER_FIELDS = new Set(["alg", "kid", "typ"]);

/** The key's id of a token header that the plugin made. Throws for one that is not acceptable. */
function readHeader(encoded: string): string {
  const refuse = (why: string): never => {
    throw new Error(`while validating header: ${why}`);
  };
  if (!/^[A-Za-z0-9_-]*$/.test(encoded)) refuse("while unwrapping header: illegal base64 data");
  let header: Readonly<Record<string, unknown>> = {};
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, "base64url").toString());
    if (typeof value !== "object" || value === null) throw new Error("not an object");
    header = value as Readonly<Record<string, unknown>>;
  } catch (error) {
    refuse(`while parsing header JSON: ${textOf(error)}`);
  }
  const unknown = Object.keys(header).find((name) => !HEADER_FIELDS.has(name));
  if (unknown !== undefined) {
    refuse(`while parsing header JSON: json: unknown field ${JSON.stringify(unknown)}`);
  }
  const { alg = "", kid = "", typ } = header;
  if (typ !== "JWT") refuse("bad type");
  if (typeof kid !== "string" || kid === "") return refuse("key id missing");
  if (kid.length > KEY_ID_LENGTH_MAX) refuse("key id longer than 1 kb");
  if (!isAlgorithm(alg)) refuse(`bad signing algorithm ${JSON.stringify(alg)}`);
  return kid;
}

function readKeys(bytes: Buffer): KeySet {
  const reader = new WireReader(bytes);
  const keys: ExternalKey[] = [];
  let refreshSeconds = 0;
  let hasTimestamp = false;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) keys.push(readKey(reader.message()));
    else if (field === 3) refreshSeconds = Number(reader.bigint());
    else {
      hasTimestamp ||= field === 2;
      reader.skip();
    }
  }
  if (refreshSeconds <= 0) throw new Error(`found invalid refresh hint (${refreshSeconds}s)`);
  if (keys.length === 0) throw new Error("found no keys");
  if (!hasTimestamp) throw new Error("invalid data timestamp: proto: invalid nil Timestamp");
  return { keys, refreshAt: Date.now() + refreshSeconds * 1000 };
}

function readKey(reader: WireReader): ExternalKey {
  let keyId = "";
  let der: Buffer = Buffer.alloc(0);
  let excludedFromDiscovery = false;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) keyId = reader.string();
    else if (field === 2) der = Buffer.from(reader.bytes());
    else if (field === 3) excludedFromDiscovery = reader.int() !== 0;
    else reader.skip();
  }
  if (keyId === "" || keyId.length > KEY_ID_LENGTH_MAX) {
    throw new Error(`found invalid public key id ${JSON.stringify(keyId)}`);
  }
  if (der.length === 0) throw new Error("found empty public key");
  try {
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    return { ...keyWithId(key, keyId), excludedFromDiscovery };
  } catch (error) {
    throw new Error(`while parsing external public keys: ${textOf(error)}`);
  }
}

function wrapped(what: string, error: unknown): Error {
  return new Error(`${what}: ${textOf(error)}`, { cause: error });
}

function textOf(error: unknown): string {
  if (error instanceof GrpcError) return error.text;
  return error instanceof Error ? error.message : String(error);
}
