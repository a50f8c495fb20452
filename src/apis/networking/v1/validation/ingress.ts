/** Ingresses and IngressClasses. Upstream: pkg/apis/networking/validation/validation.go. */

import { validateDomainPrefixedPath } from "../../../../apimachinery/validation/domains.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
  tooLong,
} from "../../../../apimachinery/validation/field.ts";
import {
  parseIPSloppy,
  validateIPForLegacyField,
  warningsForIP,
} from "../../../../apimachinery/validation/ip.ts";
import {
  byteLength,
  isDNS1123Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isValidPortName,
  isValidPortNum,
  isWildcardDNS1123Subdomain,
} from "../../../../apimachinery/validation/names.ts";
import { validateImmutableField } from "../../../../apimachinery/validation/object-meta.ts";
import { validateHostname } from "../../../core/v1/validation/service.ts";
import { invalidEach } from "../../../validation/common.ts";
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressClassParametersReference,
  IngressRule,
  IngressTLS,
} from "../types.ts";

export const INGRESS_CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const CONTROLLER_BYTES_MAX = 250;
const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
const INVALID_SEQUENCES = ["//", "/./", "/../", "%2f", "%2F"];
const INVALID_SUFFIXES = ["/..", "/."];
const SCOPES = ["Cluster", "Namespace"];
const specPath = Path.root("spec");

/** What a stored Ingress may keep doing. */
interface Allowances {
  readonly invalidSecretName: boolean;
  readonly invalidWildcardHostRule: boolean;
}
const NONE: Allowances = { invalidSecretName: false, invalidWildcardHostRule: false };

export function validateIngressCreate(ingress: Ingress): ErrorList {
  const errors = validateIngressSpec(ingress, NONE);
  const annotation = ingress.metadata?.annotations?.[INGRESS_CLASS_ANNOTATION];
  const className = ingress.spec?.ingressClassName;
  if (annotation === undefined || className === undefined || annotation === className) {
    return errors;
  }
  const detail = "must match `ingressClassName` when both are specified";
  const at = Path.root("annotations").child(INGRESS_CLASS_ANNOTATION);
  return [...errors, invalid(at, annotation, detail)];
}

export function validateIngressUpdate(ingress: Ingress, old: Ingress): ErrorList {
  const { tls = [], rules = [] } = old.spec ?? {};
  return validateIngressSpec(ingress, {
    invalidSecretName: tls.some(({ secretName = "" }) => secretNameProblems(secretName).length > 0),
    invalidWildcardHostRule: rules.some(
      (rule) => rule.host?.includes("*") && validateRuleValue(rule, specPath).length > 0,
    ),
  });
}

function validateIngressSpec({ spec = {} }: Ingress, allowed: Allowances): ErrorList {
  const { rules = [], tls = [], defaultBackend, ingressClassName } = spec;
  const errors: ErrorList = [];
  if (rules.length === 0 && defaultBackend === undefined) {
    const detail = "either `defaultBackend` or `rules` must be specified";
    errors.push(invalid(specPath, spec.rules, detail));
  }
  if (defaultBackend !== undefined) {
    errors.push(...validateBackend(defaultBackend, specPath.child("defaultBackend")));
  }
  for (const [i, rule] of rules.entries()) {
    errors.push(...validateRule(rule, allowed, specPath.child("rules").index(i)));
  }
  for (const [i, entry] of tls.entries()) {
    errors.push(...validateTLS(entry, allowed, specPath.child("tls").index(i)));
  }
  if (ingressClassName !== undefined) {
    const at = specPath.child("ingressClassName");
    errors.push(...invalidEach(at, ingressClassName, isDNS1123Subdomain(ingressClassName)));
  }
  return errors;
}

const hostProblems = (host: string) =>
  host.includes("*") ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host);

const secretNameProblems = (name: string) => (name === "" ? [] : isDNS1123Subdomain(name));

function validateTLS({ hosts = [], secretName = "" }: IngressTLS, allowed: Allowances, at: Path) {
  const errors = hosts.flatMap((host, i) =>
    invalidEach(at.child("hosts").index(i), host, hostProblems(host)),
  );
  if (allowed.invalidSecretName) return errors;
  const problems = secretNameProblems(secretName);
  return [...errors, ...invalidEach(at.child("secretName"), secretName, problems)];
}

function validateRule(rule: IngressRule, allowed: Allowances, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { host = "" } = rule;
  if (host !== "") {
    if (parseIPSloppy(host) !== undefined) {
      errors.push(invalid(at.child("host"), host, "must be a DNS name, not an IP address"));
    }
    errors.push(...invalidEach(at.child("host"), host, hostProblems(host)));
  }
  if (host.includes("*") && allowed.invalidWildcardHostRule) return errors;
  return [...errors, ...validateRuleValue(rule, at)];
}

function validateRuleValue({ http }: IngressRule, at: Path): ErrorList {
  if (http === undefined) return [];
  const pathsAt = at.child("http", "paths");
  const paths = http.paths ?? [];
  if (paths.length === 0) return [required(pathsAt)];
  return paths.flatMap((path, i) => validatePath(path, pathsAt.index(i)));
}

function validatePath({ path = "", pathType, backend }: HTTPIngressPath, at: Path): ErrorList {
  const typeAt = at.child("pathType");
  if (pathType === undefined) return [required(typeAt, "pathType must be specified")];
  const pathAt = at.child("path");
  const errors: ErrorList = [];
  const say = (detail: string) => errors.push(invalid(pathAt, path, detail));
  if (pathType === "Exact" || pathType === "Prefix") {
    if (!path.startsWith("/")) say("must be an absolute path");
    for (const part of INVALID_SEQUENCES) {
      if (path.includes(part)) say(`must not contain '${part}'`);
    }
    for (const suffix of INVALID_SUFFIXES) {
      if (path.endsWith(suffix)) say(`cannot end with '${suffix}'`);
    }
  } else if (pathType === "ImplementationSpecific") {
    if (path !== "" && !path.startsWith("/")) say("must be an absolute path");
  } else errors.push(notSupported(typeAt, pathType, PATH_TYPES));
  return [...errors, ...validateBackend(backend ?? {}, at.child("backend"))];
}

function validateBackend({ resource, service }: IngressBackend, at: Path): ErrorList {
  if (resource !== undefined && service !== undefined) {
    return [invalid(at, "", "cannot set both resource and service backends")];
  }
  if (resource !== undefined) return validateReference(resource, at.child("resource"));
  if (service === undefined) {
    return [invalid(at, "", "resource or service backend is required")];
  }
  const serviceAt = at.child("service");
  const { name = "" } = service;
  const errors: ErrorList = [];
  if (name === "") errors.push(required(serviceAt.child("name")));
  else errors.push(...invalidEach(serviceAt.child("name"), name, isDNS1123Label(name)));
  const portName = service.port?.name ?? "";
  const portNumber = service.port?.number ?? 0;
  const portAt = serviceAt.child("port");
  if (portName !== "" && portNumber !== 0) {
    errors.push(invalid(at, "", "cannot set both port name & port number"));
  } else if (portName !== "") {
    errors.push(...invalidEach(portAt.child("name"), portName, isValidPortName(portName)));
  } else if (portNumber !== 0) {
    errors.push(...invalidEach(portAt.child("number"), portNumber, isValidPortNum(portNumber)));
  } else errors.push(required(at, "port name or number is required"));
  return errors;
}

interface Reference {
  apiGroup?: string | undefined;
  kind?: string | undefined;
  name?: string | undefined;
}

function validateReference({ apiGroup, kind = "", name = "" }: Reference, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (apiGroup !== undefined) {
    errors.push(...invalidEach(at.child("apiGroup"), apiGroup, isDNS1123Subdomain(apiGroup)));
  }
  return [
    ...errors,
    ...validateSegment(kind, at.child("kind")),
    ...validateSegment(name, at.child("name")),
  ];
}

/** Something that can stand in a URL's path. */
export function validateSegment(text: string, at: Path): ErrorList {
  return text === "" ? [required(at)] : invalidEach(at, text, isPathSegmentName(text));
}

/** `old`: addresses that it holds already stay valid however they are spelled. */
export function validateIngressStatusUpdate(ingress: Ingress, old: Ingress): ErrorList {
  const at = Path.root("status", "loadBalancer", "ingress");
  const known = (old.status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  const points = ingress.status?.loadBalancer?.ingress ?? [];
  return points.flatMap(({ ip = "", hostname = "" }, i) => [
    ...(ip === "" ? [] : validateIPForLegacyField(at.index(i).child("ip"), ip, known)),
    ...(hostname === "" ? [] : validateHostname(hostname, at.index(i).child("hostname"))),
  ]);
}

export function warningsForIngressStatus({ status }: Ingress): string[] {
  const at = Path.root("status", "loadBalancer", "ingress");
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "" }, i) =>
    ip === "" ? [] : warningsForIP(at.index(i).child("ip"), ip),
  );
}

export function validateIngressClass({ spec = {} }: IngressClass): ErrorList {
  const { controller = "", parameters } = spec;
  const at = specPath.child("controller");
  const errors: ErrorList = [];
  if (controller === "") errors.push(required(at));
  else {
    if (byteLength(controller) > CONTROLLER_BYTES_MAX) {
      errors.push(tooLong(at, CONTROLLER_BYTES_MAX));
    }
    errors.push(...validateDomainPrefixedPath(at, controller));
  }
  if (parameters === undefined) return errors;
  return [...errors, ...validateParameters(parameters, specPath.child("parameters"))];
}

function validateParameters(parameters: IngressClassParametersReference, at: Path): ErrorList {
  const errors = validateReference(parameters, at);
  const { scope, namespace } = parameters;
  const scopeAt = at.child("scope");
  const namespaceAt = at.child("namespace");
  if (scope === undefined) return [...errors, required(scopeAt)];
  if (!SCOPES.includes(scope)) return [...errors, notSupported(scopeAt, scope, SCOPES)];
  if (scope === "Namespace") {
    if (namespace === undefined) {
      return [...errors, required(namespaceAt, "`parameters.scope` is set to 'Namespace'")];
    }
    return [...errors, ...invalidEach(namespaceAt, namespace, isDNS1123Label(namespace))];
  }
  if (namespace === undefined) return errors;
  return [...errors, forbidden(namespaceAt, "`parameters.scope` is set to 'Cluster'")];
}

export function validateIngressClassUpdate(object: IngressClass, old: IngressClass): ErrorList {
  const [now, before] = [object.spec?.controller ?? "", old.spec?.controller ?? ""];
  return validateImmutableField(now, before, specPath.child("controller"));
}
