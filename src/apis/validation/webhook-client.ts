/**
 * Where a webhook is: a URL or a service.
 * Upstream: apiserver/pkg/util/webhook/validation.go.
 */
import {
  type ErrorList,
  invalid,
  type Path,
  required,
} from "../../apimachinery/validation/field.ts";
import { isDNS1123Subdomain, isValidPortNum } from "../../apimachinery/validation/names.ts";

const FORM = "; desired format: https://host[/path]";

interface ParsedUrl {
  readonly scheme: string;
  readonly host: string;
  readonly user: string | undefined;
  readonly query: string;
  readonly fragment: string;
}

/** An https URL with a host and nothing but a path. */
function validateWebhookURL(at: Path, text: string, forceHttps: boolean): ErrorList {
  const url = parseUrl(text);
  if (typeof url === "string") return [required(at, `url must be a valid URL: ${url}${FORM}`)];
  const errors: ErrorList = [];
  if (forceHttps && url.scheme !== "https") {
    errors.push(invalid(at, url.scheme, `'https' is the only allowed URL scheme${FORM}`));
  }
  if (url.host === "") errors.push(invalid(at, url.host, `host must be specified${FORM}`));
  if (url.user !== undefined) {
    errors.push(invalid(at, url.user, "user information is not permitted in the URL"));
  }
  if (url.fragment !== "") {
    errors.push(invalid(at, url.fragment, "fragments are not permitted in the URL"));
  }
  if (url.query !== "") {
    errors.push(invalid(at, url.query, "query parameters are not permitted in the URL"));
  }
  return errors;
}

/** As Go's url.Parse splits it; a string is Go's error. */
function parseUrl(text: string): ParsedUrl | string {
  const fail = (reason: string) => `parse ${JSON.stringify(text)}: ${reason}`;
  const isControl = (char: string) => char < " " || char === "\u007f";
  if ([...text].some(isControl)) return fail("net/url: invalid control character in URL");
  const [beforeFragment = "", ...fragments] = text.split("#");
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(beforeFragment)?.[1];
  if (beforeFragment.startsWith(":")) return fail("missing protocol scheme");
  const afterScheme =
    scheme === undefined ? beforeFragment : beforeFragment.slice(scheme.length + 1);
  const question = afterScheme.indexOf("?");
  const query = question === -1 ? "" : afterScheme.slice(question + 1);
  const path = question === -1 ? afterScheme : afterScheme.slice(0, question);
  if (scheme === undefined && !path.startsWith("/") && path.split("/")[0]?.includes(":")) {
    return fail("first path segment in URL cannot contain colon");
  }
  const authority = path.startsWith("//") ? (path.slice(2).split("/")[0] ?? "") : "";
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const badHost = /[ "<>^`{|}\\]/.exec(host);
  if (badHost !== null) {
    return fail(`invalid character ${JSON.stringify(badHost[0])} in host name`);
  }
  const port = /:([^\]]*)$/.exec(host);
  if (port !== null && !/^\d*$/.test(port[1] ?? "")) {
    return fail(`invalid port ${JSON.stringify(port[0])} after host`);
  }
  if (/%(?![0-9a-fA-F]{2})/.test(path)) {
    const bad = /%.{0,2}/.exec(path.replace(/%[0-9a-fA-F]{2}/g, ""))?.[0] ?? "%";
    return fail(`invalid URL escape ${JSON.stringify(bad)}`);
  }
  return {
    scheme: (scheme ?? "").toLowerCase(),
    host,
    user: at === -1 ? undefined : authority.slice(0, at),
    query,
    fragment: fragments.join("#"),
  };
}

interface ServiceReferenceObject {
  namespace?: string | undefined;
  name?: string | undefined;
  path?: string | undefined;
  port?: number | undefined;
}

/**
 * A service, with a path of DNS subdomains. Callers upstream pass name and namespace the wrong way
 * round, so the one's absence is told at the other's path: the errors here are those clients see.
 */
function validateWebhookService(at: Path, service: ServiceReferenceObject): ErrorList {
  const errors: ErrorList = [];
  if (!service.namespace) errors.push(required(at.child("name")));
  if (!service.name) errors.push(required(at.child("namespace")));
  const port = service.port ?? 0;
  const problems = isValidPortNum(port);
  if (problems.length > 0) {
    errors.push(invalid(at.child("port"), port, `port is not valid: ${problems.join(", ")}`));
  }
  const { path } = service;
  if (path === undefined || path === "/" || path === "") return errors;
  const pathAt = at.child("path");
  if (path === "//") return [...errors, invalid(pathAt, path, "segment[0] may not be empty")];
  if (!path.startsWith("/")) errors.push(invalid(pathAt, path, "must start with a '/'"));
  for (const [i, step] of path.slice(1).replace(/\/$/, "").split("/").entries()) {
    if (step === "") errors.push(invalid(pathAt, path, `segment[${i}] may not be empty`));
    else {
      for (const problem of isDNS1123Subdomain(step)) {
        errors.push(invalid(pathAt, path, `segment[${i}]: ${problem}`));
      }
    }
  }
  return errors;
}

/** The URL or the service of a client: exactly one of them. */
export function validateWebhookClient(
  {
    url,
    service,
  }: { readonly url?: string | undefined; service?: ServiceReferenceObject | undefined },
  at: Path,
): ErrorList {
  if ((url === undefined) === (service === undefined)) {
    return [required(at, "exactly one of url or service is required")];
  }
  if (url !== undefined) return validateWebhookURL(at.child("url"), url, true);
  return validateWebhookService(at.child("service"), service ?? {});
}
