/** Flags kube-apiserver does not have. */
import { bool, int, string } from "../flag-spec.ts";

export const klystronFlags = {
  "data-dir": string(
    ".klystron",
    "Folder for the embedded store, the self-made PKI and admin.kubeconfig.",
  ),
  front: string("uws", "What serves connections: uws (uWebSockets.js) or node (node:https)."),
  "front-threads": int(0, "Threads that serve; 0: one less than there are cores, at least one."),
  standalone: bool(
    true,
    "Run the few controllers without which a server alone is hard to use. Default: true with the embedded store, false with --etcd-servers.",
  ),
  "worker-threads": int(0, "Threads of the pool for long computations; 0: as many as cores."),
  "write-kubeconfig": string("", "Also write the administrator's kubeconfig to this file."),
};
