/** `klystron snapshot save|restore FILE` and `klystron import|export`, as commands of a shell. */
import { join, resolve } from "node:path";
import { UsageError } from "./options/pflag.ts";
import {
  type EtcdAddress,
  parseStoreCommand,
  type StoreCommand,
  storeCommandHelp,
} from "./options/store-command.ts";
import {
  exportStore,
  importStore,
  type Progress,
  restoreSnapshot,
  saveSnapshot,
} from "./storage/embedded/snapshot.ts";
import { openEmbeddedStore } from "./storage/embedded/store.ts";
import { StorageError } from "./storage/errors.ts";
import { createEtcdBackend } from "./storage/etcd3/backend.ts";
import type { KvBackend } from "./storage/interfaces.ts";

const PROGRESS_MS = 1_000;
const CONNECT_MS = 10_000;

type Copy = Exclude<StoreCommand, { kind: "help" }>;

/** Where a command prints: its help on the one, progress and errors on the other. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Runs the command; resolves to the process' exit code. */
export async function runStoreCommand(
  args: readonly string[],
  { stdout, stderr }: Terminal,
): Promise<number> {
  let command: StoreCommand;
  try {
    command = parseStoreCommand(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`Error: ${error.message}\nSee 'klystron ${args[0]} --help' for usage.\n`);
    return 1;
  }
  if (command.kind === "help") {
    stdout.write(storeCommandHelp);
    return 0;
  }
  try {
    stderr.write(`${await run(command, reportEvery(PROGRESS_MS, stderr))}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof StorageError) && !isSystemError(error)) throw error;
    stderr.write(`Error: ${error.message}\n`);
    return 1;
  }
}

/** What has been done, in a sentence. */
async function run(command: Copy, progress: Progress): Promise<string> {
  const directory = resolve(join(command.dataDir, "store"));
  switch (command.kind) {
    case "save": {
      const { keys, revision, bytes } = await saveSnapshot(directory, command.file, progress);
      return `Saved ${keys} keys as of revision ${revision} to ${command.file} (${bytes} bytes)`;
    }
    case "restore": {
      const { keys, revision } = await restoreSnapshot(command.file, directory, progress);
      return `Restored ${keys} keys as of revision ${revision} to ${directory}`;
    }
    case "import":
      return withEtcd(command.etcd, async (etcd) => {
        const { keys, revision } = await importStore(etcd, directory, progress);
        return `Imported ${keys} keys as of revision ${revision} to ${directory}`;
      });
    case "export":
      return withEtcd(command.etcd, async (etcd) => {
        const store = await openEmbeddedStore({ directory });
        try {
          const keys = await exportStore(store, etcd, `${command.etcd.prefix}/`, progress);
          return `Exported ${keys} keys to ${command.etcd.endpoints.join(",")}`;
        } finally {
          await store.close();
        }
      });
  }
}

async function withEtcd<T>(of: EtcdAddress, work: (etcd: KvBackend) => Promise<T>): Promise<T> {
  const { endpoints, caFile, certFile, keyFile } = of;
  const etcd = createEtcdBackend({
    endpoints,
    ...(caFile === "" ? {} : { caFile }),
    ...(certFile === "" ? {} : { certFile }),
    ...(keyFile === "" ? {} : { keyFile }),
  });
  try {
    await etcd.health(CONNECT_MS);
    return await work(etcd);
  } finally {
    await etcd.close();
  }
}

/** Speaks up about copies that take long. */
function reportEvery(milliseconds: number, stderr: Terminal["stderr"]): Progress {
  let last = performance.now();
  return (keys) => {
    if (performance.now() - last < milliseconds) return;
    last = performance.now();
    stderr.write(`${keys} keys ...\n`);
  };
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
