/** Upstream: apiserver/pkg/server/options/feature.go. */
import { bool, string } from "../flag-spec.ts";

export const featuresFlags = {
  "contention-profiling": bool(false, "Profile blocking, when --profiling is on."),
  "debug-socket-path": string("", "Unix socket that serves profiles without authentication."),
  "enable-priority-and-fairness": bool(
    true,
    "Queue requests by priority level and flow instead of by the plain in-flight limits.",
  ),
  profiling: bool(true, "Serve /debug/pprof/ and /debug/flags/v."),
};
