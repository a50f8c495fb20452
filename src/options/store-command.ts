/** The command line of `klystron snapshot`, `import` and `export`. */
import type { FlagTable } from "./flag-spec.ts";
import { etcdFlags } from "./groups/etcd.ts";
import { klystronFlags } from "./groups/klystron.ts";
import { parseCommand, UsageError } from "./pflag.ts";

const words = new Set(["snapshot", "import", "export"]);

/** True: the first word asks for one of these commands, so that nothing is served. */
export function isStoreCommand(args: readonly string[]): boolean {
  return words.has(args[0] ?? "");
}

export interface EtcdAddress {
  readonly endpoints: readonly string[];
  /** "" for none. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly prefix: string;
}
export type StoreCommand =
  | { readonly kind: "help" }
  | { readonly kind: "save" | "restore"; readonly dataDir: string; readonly file: string }
  | { readonly kind: "import" | "export"; readonly dataDir: string; readonly etcd: EtcdAddress };

export const storeCommandHelp = `Copies the embedded store under --data-dir. No server may be running on it.

Usage:
  klystron snapshot save FILE     Write the present state, with its revisions, to FILE.
  klystron snapshot restore FILE  Make a store from FILE. There must be none yet.
  klystron import                 Make a store from a running etcd. There must be none yet.
  klystron export                 Write every key to a running etcd that has none of them.

Flags:
      --data-dir string       Folder of the server (default ".klystron").
      --etcd-servers strings  etcd endpoints, scheme://host:port, for import and export.
      --etcd-cafile string    CA that etcd's serving certificates are checked against.
      --etcd-certfile string  Client certificate to present to etcd.
      --etcd-keyfile string   Key of --etcd-certfile.
      --etcd-prefix string    Prefix of the keys to export (default "/registry").
  -h, --help                  Print this help.
`;

const table: FlagTable = {
  "data-dir": klystronFlags["data-dir"],
  "etcd-servers": etcdFlags["etcd-servers"],
  "etcd-cafile": etcdFlags["etcd-cafile"],
  "etcd-certfile": etcdFlags["etcd-certfile"],
  "etcd-keyfile": etcdFlags["etcd-keyfile"],
  "etcd-prefix": etcdFlags["etcd-prefix"],
};

/** Throws UsageError with the text to print after `Error: `. */
export function parseStoreCommand(args: readonly string[]): StoreCommand {
  const { values, positional, help } = parseCommand(table, args);
  if (help) return { kind: "help" };
  const text = (name: string) => values[name] as string; // the table's specs made each value
  const dataDir = text("data-dir");
  const [command, ...rest] = positional;
  if (command === "snapshot") {
    const [action, file, ...more] = rest;
    if (action !== "save" && action !== "restore") {
      throw new UsageError('"klystron snapshot" needs one of: save, restore');
    }
    if (file === undefined || more.length > 0) {
      throw new UsageError(`"klystron snapshot ${action}" takes the name of one file`);
    }
    return { kind: action, dataDir, file };
  }
  if (rest.length > 0) throw new UsageError(`"klystron ${command}" does not take any arguments`);
  const endpoints = values["etcd-servers"] as string[];
  if (endpoints.length === 0) {
    throw new UsageError(`"klystron ${command}" needs --etcd-servers`);
  }
  const etcd = {
    endpoints,
    caFile: text("etcd-cafile"),
    certFile: text("etcd-certfile"),
    keyFile: text("etcd-keyfile"),
    prefix: text("etcd-prefix"),
  };
  return { kind: command === "import" ? "import" : "export", dataDir, etcd };
}
