/** What clients are told about containers of pods. Upstream: pkg/api/pod/warnings.go. */
import {
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
} from "../../../../apimachinery/quantity.ts";
import { type Path, quote } from "../../../../apimachinery/validation/field.ts";
import type { Container, ContainerPort, EnvVar, PodSpec } from "../types.ts";
import { visitContainers } from "../validation/windows.ts";

/** Amounts of bytes with a fraction. */
export function fractionWarnings(list: Record<string, string> | undefined, at: Path): string[] {
  const found: string[] = [];
  for (const name of ["memory", "ephemeral-storage"]) {
    const text = list?.[name];
    if (text === undefined) continue;
    const quantity = parseQuantity(text);
    if (quantityMilliValue(quantity) % 1000n === 0n) continue;
    const value = quote(formatQuantity(quantity));
    found.push(`${at.key(name)}: fractional byte value ${value} is invalid, must be an integer`);
  }
  return found;
}

export function resourceWarnings({ resources }: Container, at: Path): string[] {
  const path = at.child("resources");
  // By resource, limits first.
  const by = (name: "limits" | "requests") => fractionWarnings(resources?.[name], path.child(name));
  const all = [...by("limits"), ...by("requests")];
  const isMemory = (text: string) => text.includes("[memory]: ");
  return [...all.filter(isMemory), ...all.filter((text) => !isMemory(text))];
}

/** Variables whose earlier definition is lost. */
export function envWarnings(variables: readonly EnvVar[] | undefined, at: Path): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const [i, { name = "", value = "", valueFrom }] of (variables ?? []).entries()) {
    if (!seen.has(name)) {
      seen.add(name);
      continue;
    }
    const reference = `$(${name})`;
    const builds = valueFrom === undefined && value !== reference && value.includes(reference);
    if (builds) continue;
    const hides = `hides previous definition of ${quote(name)}`;
    found.push(`${at.child("env").index(i)}: ${hides}, which may be dropped when using apply`);
  }
  return found;
}

interface Seen {
  readonly path: Path;
  readonly port: ContainerPort;
}

/** Ports that two containers have, or whose address goes nowhere. */
export function portWarnings(spec: PodSpec, at: Path): string[] {
  const found: string[] = [];
  const known = new Map<string, Seen[]>();
  visitPorts(spec, at, (port, path) => {
    if (port.hostIP && !port.hostPort) {
      found.push(`${path}: hostIP set without hostPort: ${goPort(port)}`);
    }
    const key = `${port.containerPort ?? 0}/${port.protocol ?? ""}`;
    const others = known.get(key) ?? [];
    for (const other of others) {
      const clash = clashOf(port, other.port);
      if (clash !== undefined) found.push(`${path}: ${clash} port definition with ${other.path}`);
    }
    known.set(key, [...others, { port, path }]);
  });
  return [...found, ...portNameWarnings(spec, at)];
}

function visitPorts(spec: PodSpec, at: Path, visit: (port: ContainerPort, at: Path) => void): void {
  visitContainers(spec, at, ({ ports }, path) => {
    for (const [i, port] of (ports ?? []).entries()) visit(port, path.child("ports").index(i));
  });
}

function clashOf(one: ContainerPort, other: ContainerPort): string | undefined {
  const [ip, otherIP] = [one.hostIP ?? "", other.hostIP ?? ""];
  const [host, otherHost] = [one.hostPort ?? 0, other.hostPort ?? 0];
  if (ip === otherIP && host === otherHost) return "duplicate";
  if (host === 0 || otherHost === 0) return "overlapping";
  const isAmbiguous = host === otherHost && (ip === "") !== (otherIP === "");
  return isAmbiguous ? "dangerously ambiguous" : undefined;
}

function portNameWarnings(spec: PodSpec, at: Path): string[] {
  const found: string[] = [];
  const known = new Map<string, Path>();
  visitPorts(spec, at, ({ name }, path) => {
    if (!name) return;
    const other = known.get(name);
    if (other === undefined) {
      known.set(name, path);
      return;
    }
    const use = `services and probes that select ports by name will use ${other}`;
    found.push(`${path}: duplicate port name ${quote(name)} with ${other}, ${use}`);
  });
  return found;
}

/** Go's %+v of a port. */
function goPort({ name, hostPort, containerPort, protocol, hostIP }: ContainerPort): string {
  const fields = [
    `Name:${name ?? ""}`,
    `HostPort:${hostPort ?? 0}`,
    `ContainerPort:${containerPort ?? 0}`,
    `Protocol:${protocol ?? ""}`,
    `HostIP:${hostIP ?? ""}`,
  ];
  return `{${fields.join(" ")}}`;
}
