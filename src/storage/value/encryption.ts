/** Encryption at rest of one thread, from its configuration file, reloaded when that changes. */
import { readFileSync } from "node:fs";
import { aesCbc, aesGcm, secretbox } from "./ciphers.ts";
import {
  EncryptionConfigError,
  masks,
  type ProviderConfig,
  parseEncryptionConfig,
} from "./encryption-config.ts";
import { KmsProvider } from "./kms.ts";
import { KmsV1Provider } from "./kms-v1.ts";
import { type Prefixed, prefixed } from "./prefixed.ts";
import {
  identityProvider,
  noEncryption,
  type TransformerFor,
  type ValueTransformer,
} from "./transformer.ts";

const RELOAD_INTERVAL_MS = 60_000;
/** A replaced configuration's plugins are kept for calls under way. */
const CLOSE_DELAY_MS = 60_000;

export interface Encryption {
  /** The transformer it gives stays the same object over reloads. */
  readonly transformerFor: TransformerFor;
  /** Whether a plugin is asked at all, with what is wrong with the plugins. For /readyz. */
  readonly hasPlugins: boolean;
  problems(): readonly { readonly name: string; readonly error: unknown }[];
  close(): void;
}
export interface EncryptionSource {
  readonly file: string;
  /** `--encryption-provider-config-automatic-reload`. */
  readonly reload: boolean;
  /** The gate KMSv1; default off. */
  readonly kmsV1?: boolean;
  /** Milliseconds between looks at the file; default a minute. */
  readonly intervalMs?: number;
}

/** Rejects with EncryptionConfigError, naming the file, when it can not be read or is not valid. */
export async function encryptionOf(
  source: EncryptionSource | undefined,
  log?: (message: string) => void,
): Promise<Encryption> {
  if (source === undefined) {
    return { transformerFor: noEncryption, hasPlugins: false, problems: () => [], close: () => {} };
  }
  const loader = new ReloadingEncryption(source, log);
  await loader.load();
  loader.watch();
  return loader;
}

/** One reading of the file: its entries with their transformers, ready to use. */
interface Generation {
  readonly text: string;
  readonly entries: readonly {
    readonly resources: readonly string[];
    readonly transformer: ValueTransformer;
  }[];
  readonly plugins: readonly Plugin[];
}

interface Plugin {
  readonly name: string;
  readonly provider: KmsProvider | KmsV1Provider;
}

class ReloadingEncryption implements Encryption {
  readonly #source: EncryptionSource;
  readonly #log: (message: string) => void;
  readonly #given = new Map<string, ValueTransformer>();
  #generation: Generation | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: EncryptionSource, log: ((message: string) => void) | undefined) {
    this.#source = source;
    this.#log = log ?? (() => {});
  }

  readonly transformerFor: TransformerFor = (resource) => {
    const known = this.#given.get(resource);
    if (known !== undefined) return known;
    const current = (): ValueTransformer =>
      this.#generation?.entries.find((entry) => entry.resources.some((r) => masks(r, resource)))
        ?.transformer ?? identityProvider;
    const made: ValueTransformer = {
      fromStorage: (stored, aad) => current().fromStorage(stored, aad),
      toStorage: (value, aad) => current().toStorage(value, aad),
    };
    this.#given.set(resource, made);
    return made;
  };

  get hasPlugins(): boolean {
    return (this.#generation?.plugins ?? []).length > 0;
  }

  problems(): readonly { readonly name: string; readonly error: unknown }[] {
    return this.#generation === undefined ? [] : problemsOf(this.#generation);
  }

  async load(): Promise<void> {
    const { file } = this.#source;
    try {
      const text = readFileSync(file, "utf8");
      if (text === this.#generation?.text) return;
      const next = await build(text, this.#source.kmsV1 === true, this.#log);
      const old = this.#generation;
      const [sick] = old === undefined ? [] : problemsOf(next);
      if (sick !== undefined) {
        // At the start one waits for a plugin; a new configuration has to work at once.
        closePlugins(next);
        throw sick.error;
      }
      this.#generation = next;
      if (old === undefined) return;
      this.#log(`encryption configuration ${file} reloaded`);
      setTimeout(() => closePlugins(old), CLOSE_DELAY_MS).unref();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new EncryptionConfigError(`${file}: ${message}`, { cause: error });
    }
  }

  watch(): void {
    if (!this.#source.reload) return;
    const interval = this.#source.intervalMs ?? RELOAD_INTERVAL_MS;
    this.#timer = setInterval(() => {
      // A bad file changes nothing: the last good one stays in force.
      this.load().catch((error) => this.#log(`not reloaded: ${String(error)}`));
    }, interval);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#generation !== undefined) closePlugins(this.#generation);
  }
}

async function build(
  text: string,
  kmsV1: boolean,
  log: (message: string) => void,
): Promise<Generation> {
  const plugins: Plugin[] = [];
  const entries = parseEncryptionConfig(text, kmsV1).map(({ resources, providers }) => ({
    resources,
    transformer: prefixed(
      providers.map((config) => providerOf(config, plugins, log)),
      "no matching prefix found",
    ),
  }));
  await Promise.all(plugins.map(({ provider }) => provider.start()));
  return { text, entries, plugins };
}

/** Named by their place, as upstream's checks. */
function problemsOf({ plugins }: Generation): { name: string; error: unknown }[] {
  return plugins
    .map(({ provider }, i) => ({ name: `kms-provider-${i}`, error: provider.problem }))
    .filter(({ error }) => error !== undefined);
}

const CIPHERS = { aescbc: aesCbc, aesgcm: aesGcm, secretbox } as const;

function providerOf(
  config: ProviderConfig,
  plugins: Plugin[],
  log: (message: string) => void,
): Prefixed {
  if (config.kind === "identity") {
    return { prefix: Buffer.alloc(0), transformer: identityProvider };
  }
  if (config.kind === "kms") {
    const { name, version, socket, timeoutMs, cacheSize } = config;
    const provider =
      version === "v1"
        ? new KmsV1Provider({ socket, timeoutMs, log, cacheSize })
        : new KmsProvider({ socket, timeoutMs, log });
    plugins.push({ name, provider });
    return { prefix: Buffer.from(`k8s:enc:kms:${version}:${name}:`), transformer: provider };
  }
  const cipher = CIPHERS[config.kind];
  const keys = config.keys.map(({ name, secret }) => ({
    prefix: Buffer.from(`${name}:`),
    transformer: cipher(secret),
  }));
  const family = config.kind === "secretbox" ? "Secretbox" : "AES";
  const noKey = `no matching key was found for the provided ${family} transformer`;
  return {
    prefix: Buffer.from(`k8s:enc:${config.kind}:v1:`),
    transformer: prefixed(keys, noKey),
  };
}

function closePlugins(generation: Generation): void {
  for (const { provider } of generation.plugins) provider.close();
}
