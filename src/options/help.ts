/** `--help`. Upstream: component-base/cli/flag PrintSections. */
import type { FlagSpec, FlagTable } from "./flag-spec.ts";
import { flagGroups } from "./flags.ts";

const INTRODUCTION = `Klystron serves the Kubernetes v1.36 API. It takes kube-apiserver's command line: with
--etcd-servers it serves a cluster's etcd, without it an embedded store under --data-dir.

Usage:
  klystron [flags]
  klystron snapshot save|restore FILE [--data-dir=DIR]
  klystron import|export --etcd-servers=URL[,URL] [--data-dir=DIR]
`;

/** The whole text, wrapped at `columns`. */
export function helpText(columns = 100): string {
  const sections = flagGroups.map(([name, table]) => section(name, table, columns));
  const help = "  -h, --help   Print this help.\n";
  return `${INTRODUCTION}\n${sections.join("\n")}${help}`;
}

function section(name: string, table: FlagTable, columns: number): string {
  const rows = Object.entries(table).map(
    ([flag, spec]) => [left(flag, spec), right(spec)] as const,
  );
  const width = Math.min(44, Math.max(...rows.map(([text]) => text.length))) + 3;
  const lines = rows.map(([text, usage]) => {
    const head = text.length + 3 > width ? `${text}\n${" ".repeat(width)}` : text.padEnd(width);
    return `${head}${wrap(usage, columns - width).join(`\n${" ".repeat(width)}`)}\n`;
  });
  return `${name} flags:\n\n${lines.join("")}`;
}

function left(flag: string, { shorthand, type }: FlagSpec<unknown>): string {
  const short = shorthand === undefined ? "      " : `  -${shorthand}, `;
  return `${short}--${flag}${type === "" ? "" : ` ${type}`}`;
}

function right(spec: FlagSpec<unknown>): string {
  const fallback = spec.format(spec.fallback);
  const isZero = ["", '""', "false", "0", "0s", "[]", "<nil>"].includes(fallback);
  const deprecated = spec.deprecated === undefined ? "" : ` (DEPRECATED: ${spec.deprecated})`;
  return `${spec.usage}${isZero ? "" : ` (default ${fallback})`}${deprecated}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
