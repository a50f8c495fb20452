/** kubernetes_build_info, and kubernetes_feature_enabled from the gates given. */
import type { MetricRegistry } from "../metrics/registry.ts";
import { versionInfo } from "./version.ts";

/** Thread 0 speaks for all: the values are summed over threads. */
export function registerBuildMetrics(
  registry: MetricRegistry,
  threadIndex: number,
  gates: Iterable<{ name: string; stage: string; enabled: boolean }>,
): void {
  if (threadIndex !== 0) return;
  const info = versionInfo();
  const { major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion } = info;
  registry
    .gauge({
      name: "kubernetes_build_info",
      help: "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
      labels: [
        "major",
        "minor",
        "git_version",
        "git_commit",
        "git_tree_state",
        "build_date",
        "go_version",
        "compiler",
        "platform",
      ],
    })
    .set(
      1,
      major,
      minor,
      gitVersion,
      gitCommit,
      gitTreeState,
      buildDate,
      goVersion,
      info.compiler,
      info.platform,
    );
  registry
    .gauge({
      name: "version_info",
      help: "Provides the compatibility version info of the component. The component label is the name of the component, usually kube, but is relevant for aggregated-apiservers.",
      labels: ["component", "binary", "emulation", "min_compat"],
    })
    .set(
      1,
      "kube",
      gitVersion.replace(/^v|[+].*$/g, ""),
      `${info.emulationMajor}.${info.emulationMinor}`,
      `${info.minCompatibilityMajor}.${info.minCompatibilityMinor}`,
    );
  const enabled = registry.gauge({
    name: "kubernetes_feature_enabled",
    help: "This metric records the data about the stage and enablement of a k8s feature.",
    labels: ["name", "stage"],
    stability: "BETA",
  });
  for (const gate of gates) enabled.set(gate.enabled ? 1 : 0, gate.name, gate.stage);
}
