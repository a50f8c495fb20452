/**
 * The descriptions of operations and parameters. Those of operations follow from what they do.
 * Upstream: apiserver/pkg/endpoints/installer.go, which documents each route it registers.
 */
import type { Descriptions } from "./descriptions.ts";
import type { Operation, Parameter } from "./operations.ts";

/** "a ", "an ", or nothing before a plural. */
function article(kind: string): string {
  if (kind.endsWith("s") && !kind.endsWith("ss")) return "";
  return /^[aeiou]/i.test(kind) ? "an " : "a ";
}

const INSTEAD = "deprecated: use the 'watch' parameter with a list operation instead";

export interface Described {
  readonly action: string;
  readonly method: string;
  /** Of the resource, also for its subresources. */
  readonly kind: string;
  /** The subresource; absent for the object itself. */
  readonly sub?: string;
  readonly watchable: boolean;
}

/** What an operation does, in upstream's words. */
export function operationText({ action, method, kind, sub, watchable }: Described): string {
  const of = sub === undefined ? "" : `${sub} of `;
  switch (action) {
    case "get":
      return `read ${of}the specified ${kind}`;
    case "put":
      return `replace ${of}the specified ${kind}`;
    case "patch":
      return `partially update ${of}the specified ${kind}`;
    case "post":
      return `create ${of}${article(kind)}${kind}`;
    case "delete":
      return `delete ${of}${article(kind)}${kind}`;
    case "deletecollection":
      return `delete collection of ${kind}`;
    case "list":
      return watchable ? `list or watch objects of kind ${kind}` : `list objects of kind ${kind}`;
    case "watch":
      return (
        `watch changes to an object of kind ${kind}. ${INSTEAD}, ` +
        "filtered to a single item with the 'fieldSelector' parameter."
      );
    case "watchlist":
      return `watch individual changes to a list of ${kind}. ${INSTEAD}.`;
    default:
      return `connect ${method.toUpperCase()} requests to ${of}${kind}`;
  }
}

/** The text of one of an operation's parameters; undefined where the build has none. */
export function parameterText(
  { name, in: place }: Parameter,
  { gvk, texts }: Operation,
  descriptions: Descriptions,
): string | undefined {
  if (place === "path") {
    return name === "name" ? `name of the ${gvk.kind}` : descriptions.parameter(name);
  }
  const own = texts === undefined ? undefined : descriptions.parameter(`${texts}/${name}`);
  return own ?? descriptions.parameter(name);
}
