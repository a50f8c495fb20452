/** What clients are told about volumes of pods. Upstream: pkg/api/pod/warnings.go. */
import { type Path, quote } from "../../../../apimachinery/validation/field.ts";
import type { Volume, VolumeProjection } from "../types.ts";
import { warningsForPersistentVolumeClaimSpec } from "../validation/persistentvolumeclaim.ts";

const DEPRECATED: readonly [keyof Volume, string, string][] = [
  ["photonPersistentDisk", "photonPersistentDisk", "v1.11, non-functional in v1.16+"],
  ["gitRepo", "gitRepo", "v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "scaleIO", "v1.16, non-functional in v1.22+"],
  ["flocker", "flocker", "v1.22, non-functional in v1.25+"],
  ["storageos", "storageOS", "v1.22, non-functional in v1.25+"],
  ["quobyte", "quobyte", "v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "v1.25, non-functional in v1.26+"],
  ["ephemeral", "ephemeral", ""],
  ["cephfs", "cephfs", "v1.28, non-functional in v1.31+"],
  ["rbd", "rbd", "v1.28, non-functional in v1.31+"],
];

/** Types of volumes that are deprecated or gone, and claims that cannot be met. */
export function volumeWarnings(volumes: readonly Volume[] | undefined, at: Path): string[] {
  const found: string[] = [];
  for (const [i, volume] of (volumes ?? []).entries()) {
    for (const [field, shown, since] of DEPRECATED) {
      const path = at.index(i).child(shown);
      if (volume[field] === undefined) continue;
      if (since !== "") found.push(`${path}: deprecated in ${since}`);
      else found.push(...ephemeralWarnings(volume, path));
    }
  }
  return found;
}

function ephemeralWarnings({ ephemeral }: Volume, at: Path): string[] {
  const spec = ephemeral?.volumeClaimTemplate?.spec;
  if (spec === undefined) return [];
  return warningsForPersistentVolumeClaimSpec(spec, at.child("volumeClaimTemplate", "spec"));
}

/** A path in a volume, and what puts a file there; "" where all files have one source. */
interface Mapped {
  readonly path: string;
  readonly source: string;
}

/** Paths in one volume that are the same, or of which one is a directory of the other. */
export function overlapWarnings(volumes: readonly Volume[] | undefined): string[] {
  const found: string[] = [];
  for (const volume of volumes ?? []) {
    const { configMap, secret, downwardAPI, projected } = volume;
    const warn = (source: string, paths: readonly Mapped[]) =>
      overlaps(paths).map(
        (both) => `volume ${quote(volume.name ?? "")} (${source}): overlapping paths: ${both}`,
      );
    if (configMap !== undefined) {
      found.push(...warn(`ConfigMap ${quote(configMap.name ?? "")}`, pathsOf(configMap.items, "")));
    }
    if (secret !== undefined) {
      found.push(...warn(`Secret ${quote(secret.secretName ?? "")}`, pathsOf(secret.items, "")));
    }
    if (downwardAPI !== undefined)
      found.push(...warn("DownwardAPI", pathsOf(downwardAPI.items, "")));
    if (projected === undefined) continue;
    const sources = projected.sources ?? [];
    const empty = sources.filter((source) => !hasSource(source));
    const message = `volume ${quote(volume.name ?? "")} (Projected) has no sources provided`;
    found.push(...empty.map(() => message));
    found.push(...warn("Projected", sources.flatMap(projectedPaths)));
  }
  return found;
}

function hasSource(source: VolumeProjection): boolean {
  return Object.values(source).some((value) => value !== undefined);
}

interface Item {
  path?: string | undefined;
}

function pathsOf(items: readonly Item[] | undefined, source: string): Mapped[] {
  return (items ?? []).map(({ path = "" }) => ({ path, source }));
}

function projectedPaths(projection: VolumeProjection): Mapped[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = projection;
  if (configMap?.items !== undefined) {
    return pathsOf(configMap.items, `ConfigMap ${quote(configMap.name ?? "")}`);
  }
  if (secret?.items !== undefined) {
    return pathsOf(secret.items, `Secret ${quote(secret.name ?? "")}`);
  }
  if (downwardAPI?.items !== undefined) return pathsOf(downwardAPI.items, "DownwardAPI");
  if (serviceAccountToken !== undefined) {
    return pathsOf([serviceAccountToken], "ServiceAccountToken");
  }
  return certificatePaths(projection);
}

function certificatePaths({ clusterTrustBundle, podCertificate }: VolumeProjection): Mapped[] {
  if (clusterTrustBundle !== undefined) {
    const name = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? "";
    return pathsOf([clusterTrustBundle], `ClusterTrustBundle ${quote(name)}`);
  }
  const { certificateChainPath, keyPath, credentialBundlePath } = podCertificate ?? {};
  const paths: [string | undefined, string][] = [
    [certificateChainPath, "chain"],
    [keyPath, "key"],
    [credentialBundlePath, "credential bundle"],
  ];
  return paths.flatMap(([path, what]) =>
    path ? pathsOf([{ path }], `PodCertificate ${what}`) : [],
  );
}

/** Each overlapping pair, as the warning names it. */
function overlaps(paths: readonly Mapped[]): string[] {
  const found: string[] = [];
  const before: Mapped[] = [];
  for (const { path: text, source } of paths) {
    const mapped = { path: text.replace(/\/+$/, ""), source };
    for (const other of before) {
      if (doOverlap(mapped, other)) found.push(`${show(mapped)} with ${show(other)}`);
    }
    before.push(mapped);
  }
  return found;
}

function doOverlap(a: Mapped, b: Mapped): boolean {
  if (a.path === "" || b.path === "") return false;
  return `${a.path}/`.startsWith(`${b.path}/`) || `${b.path}/`.startsWith(`${a.path}/`);
}

function show({ path, source }: Mapped): string {
  return source === "" ? quote(path) : `${quote(path)} (${source})`;
}
