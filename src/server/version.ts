/** /version and --version. Upstream: component-base/version, apiserver/pkg/server/routes/version.go. */
import { arch } from "node:os";

/** The Kubernetes release whose API is served. */
export const KUBERNETES_VERSION = "v1.36.2";

/** Its major and minor number, as OpenAPI documents name it. */
export const KUBERNETES_MINOR_VERSION = KUBERNETES_VERSION.slice(1).replace(/[.]\d+$/, "");

export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly emulationMajor: string;
  readonly emulationMinor: string;
  readonly minCompatibilityMajor: string;
  readonly minCompatibilityMinor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

const goArch: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** `override`: --version=vX.Y.Z reports another gitVersion. */
export function versionInfo(override?: string): VersionInfo {
  const gitVersion = override?.startsWith("v") ? override : `${KUBERNETES_VERSION}+klystron`;
  return {
    major: "1",
    minor: "36",
    emulationMajor: "1",
    emulationMinor: "36",
    minCompatibilityMajor: "1",
    minCompatibilityMinor: "35",
    gitVersion,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: `node${process.versions.node}`,
    compiler: "v8",
    platform: `${process.platform}/${goArch[arch()] ?? arch()}`,
  };
}
