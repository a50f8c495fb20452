/** Probes and lifecycle hooks. Upstream: validateProbe, validateHandler, validateLifecycle. */
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { isHTTPHeaderName } from "../../../../apimachinery/validation/names.ts";
import {
  invalidEach,
  validateNonnegatives,
  validatePortNumOrName,
} from "../../../validation/common.ts";
import type { HTTPGetAction, Lifecycle, LifecycleHandler, PodSpec, Probe } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";

type Grace = number | bigint | undefined;

interface Handler extends LifecycleHandler {
  grpc?: Probe["grpc"];
}

const COUNTERS = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
];

/** livenessProbe, readinessProbe and startupProbe of one container. */
export function validateProbes(
  probes: Partial<Record<"livenessProbe" | "readinessProbe" | "startupProbe", Probe | undefined>>,
  grace: Grace,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = probes[name];
    if (probe === undefined) continue;
    const path = at.child(name);
    errors.push(...validateProbe(probe, grace, path, options));
    if (name === "readinessProbe") {
      if (probe.terminationGracePeriodSeconds === undefined) continue;
      const seconds = probe.terminationGracePeriodSeconds;
      const where = path.child("terminationGracePeriodSeconds");
      errors.push(invalid(where, seconds, "must not be set for readinessProbes"));
    } else if (probe.successThreshold !== 1) {
      const threshold = probe.successThreshold ?? 0;
      errors.push(invalid(path.child("successThreshold"), threshold, "must be 1"));
    }
  }
  return errors;
}

function validateProbe(
  probe: Probe,
  grace: Grace,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const { exec, httpGet, tcpSocket, grpc } = probe;
  const errors = validateHandler({ exec, httpGet, tcpSocket, grpc }, grace, at, options);
  errors.push(...validateNonnegatives(probe, COUNTERS, at));
  const seconds = probe.terminationGracePeriodSeconds;
  if (seconds !== undefined && seconds <= 0) {
    const path = at.child("terminationGracePeriodSeconds");
    errors.push(invalid(path, seconds, "must be greater than 0"));
  }
  return errors;
}

function validateHandler(
  handler: Handler,
  grace: Grace,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  let count = 0;
  const rules: readonly [keyof Handler, (path: Path) => ErrorList][] = [
    ["exec", (path) => (handler.exec?.command?.length ? [] : [required(path.child("command"))])],
    ["httpGet", (path) => validateHTTPGet(handler.httpGet ?? {}, path)],
    ["tcpSocket", (path) => validatePortNumOrName(handler.tcpSocket?.port, path.child("port"))],
    ["grpc", (path) => validatePortNumOrName(handler.grpc?.port, path.child("port"))],
    ["sleep", (path) => validateSleep(handler.sleep?.seconds ?? 0, grace, path, options)],
  ];
  for (const [name, rule] of rules) {
    if (handler[name] === undefined) continue;
    const path = at.child(name);
    if (count > 0) errors.push(forbidden(path, "may not specify more than 1 handler type"));
    else errors.push(...rule(path));
    count++;
  }
  if (count === 0) errors.push(required(at, "must specify a handler type"));
  return errors;
}

const SCHEMES = ["HTTP", "HTTPS"];

function validateHTTPGet(action: HTTPGetAction, at: Path): ErrorList {
  const errors: ErrorList = action.path ? [] : [required(at.child("path"))];
  errors.push(...validatePortNumOrName(action.port, at.child("port")));
  const { scheme = "" } = action;
  if (!SCHEMES.includes(scheme)) errors.push(notSupported(at.child("scheme"), scheme, SCHEMES));
  for (const { name = "" } of action.httpHeaders ?? []) {
    errors.push(...invalidEach(at.child("httpHeaders"), name, isHTTPHeaderName(name)));
  }
  return errors;
}

function validateSleep(
  seconds: number | bigint,
  grace: Grace,
  at: Path,
  { allowPodLifecycleSleepActionZeroValue: allowZero }: PodValidationOptions,
): ErrorList {
  if (grace === undefined) return [];
  const tooShort = allowZero ? seconds < 0 : seconds <= 0;
  if (!tooShort && seconds <= grace) return [];
  const detail = allowZero
    ? `must be non-negative and less than terminationGracePeriodSeconds (${grace})`
    : `must be greater than 0 and less than terminationGracePeriodSeconds (${grace}). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.`;
  return [invalid(at, seconds, detail)];
}

const WINDOWS_SIGNALS = ["SIGKILL", "SIGTERM"];
const LINUX_SIGNALS = [
  ..."ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT".split(" "),
  ..."RTMAX RTMIN SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2".split(" "),
  ..."VTALRM WINCH XCPU XFSZ".split(" "),
  ...Array.from({ length: 14 }, (_, i) => `RTMAX-${i + 1}`),
  ...Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`),
]
  .map((name) => `SIG${name}`)
  .sort();

function validateStopSignal(signal: string, os: PodSpec["os"], at: Path): ErrorList {
  if (os === undefined) {
    return [forbidden(at, "may not be set for containers with empty `spec.os.name`")];
  }
  const known = os.name === "windows" ? WINDOWS_SIGNALS : LINUX_SIGNALS;
  const applies = os.name === "windows" || os.name === "linux";
  return !applies || known.includes(signal) ? [] : [notSupported(at, signal, known)];
}

/** lifecycle of a container. */
export function validateLifecycle(
  lifecycle: Lifecycle,
  spec: PodSpec,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const name of ["postStart", "preStop"] as const) {
    const hook = lifecycle[name];
    if (hook === undefined) continue;
    const grace = spec.terminationGracePeriodSeconds;
    errors.push(...validateHandler(hook, grace, at.child(name), options));
  }
  if (lifecycle.stopSignal !== undefined) {
    errors.push(...validateStopSignal(lifecycle.stopSignal, spec.os, at.child("stopSignal")));
  }
  return errors;
}
