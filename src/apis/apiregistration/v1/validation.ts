/** Upstream: kube-aggregator/pkg/apis/apiregistration/validation/validation.go. */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import {
  type ErrorList,
  invalid,
  notSupported,
  Path,
  quote,
  required,
} from "../../../apimachinery/validation/field.ts";
import {
  isDNS1035Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isValidPortNum,
} from "../../../apimachinery/validation/names.ts";
import type { APIService, APIServiceSpec } from "./types.ts";

type Service = Omit<APIService, "metadata"> & KubeObject;

/** Errors of an APIService beyond its metadata; its name follows from its spec. */
export function validateAPIService(object: Service): ErrorList {
  const { spec = {} } = object;
  const at = Path.root("spec");
  const errors = validateRequiredName(object, `${spec.version ?? ""}.${spec.group ?? ""}`);
  const { group = "", version = "", groupPriorityMinimum = 0, versionPriority = 0 } = spec;
  if (group === "" && version !== "v1") {
    const detail = "only v1 may have an empty group and it better be legacy kube";
    errors.push(required(at.child("group"), detail));
  }
  if (group !== "") {
    for (const message of isDNS1123Subdomain(group)) {
      errors.push(invalid(at.child("group"), group, message));
    }
  }
  for (const message of isDNS1035Label(version)) {
    errors.push(invalid(at.child("version"), version, message));
  }
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000) {
    const detail = "must be positive and less than 20000";
    errors.push(invalid(at.child("groupPriorityMinimum"), groupPriorityMinimum, detail));
  }
  if (versionPriority <= 0 || versionPriority > 1000) {
    const detail = "must be positive and less than 1000";
    errors.push(invalid(at.child("versionPriority"), versionPriority, detail));
  }
  errors.push(...(spec.service === undefined ? validateLocal(spec, at) : validateRemote(spec, at)));
  return errors;
}

function validateRequiredName({ metadata = {} }: KubeObject, wanted: string): ErrorList {
  const detail = `must be \`spec.version+"."+spec.group\`: ${quote(wanted)}`;
  const errors: ErrorList = [];
  for (const field of ["generateName", "name"] as const) {
    const name = metadata[field];
    // The generic store has told names that are no path segment already.
    if (!name || isPathSegmentName(name).length > 0 || name === wanted) continue;
    errors.push(invalid(`metadata.${field}`, name, detail));
  }
  return errors;
}

function validateLocal(spec: APIServiceSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const bytes = Buffer.from(spec.caBundle ?? "", "base64").length;
  if (bytes !== 0) {
    const detail = "local APIServices may not have a caBundle";
    errors.push(invalid(at.child("caBundle"), `${bytes} bytes`, detail));
  }
  if (spec.insecureSkipTLSVerify) {
    const detail = "local APIServices may not have insecureSkipTLSVerify";
    errors.push(invalid(at.child("insecureSkipTLSVerify"), true, detail));
  }
  return errors;
}

function validateRemote(spec: APIServiceSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { namespace = "", name = "", port = 0 } = spec.service ?? {};
  const path = at.child("service");
  if (namespace === "") errors.push(required(path.child("namespace")));
  if (name === "") errors.push(required(path.child("name")));
  const problems = isValidPortNum(port);
  if (problems.length > 0) {
    const detail = `port is not valid: ${problems.join(", ")}`;
    errors.push(invalid(path.child("port"), port, detail));
  }
  if (spec.insecureSkipTLSVerify && spec.caBundle) {
    const detail = "may not be true if caBundle is present";
    errors.push(invalid(at.child("insecureSkipTLSVerify"), true, detail));
  }
  return errors;
}

/** Conditions are True, False or Unknown. */
export function validateAPIServiceStatus({ status = {} }: Service): ErrorList {
  const supported = ["True", "False", "Unknown"];
  return (status.conditions ?? []).flatMap((condition, i) => {
    const value = condition.status ?? "";
    const at = Path.root("status", "conditions").index(i).child("status");
    return supported.includes(value) ? [] : [notSupported(at, value, supported)];
  });
}
