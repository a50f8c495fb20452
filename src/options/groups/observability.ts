/** Upstream: component-base/{metrics,logs}, apiserver/pkg/server/options/tracing.go. */
import { bool, duration, level, metricLabels, string, strings, version } from "../flag-spec.ts";

export const metricsFlags = {
  "allow-metric-labels": metricLabels(
    "metric,label=value,...: values a label may have. Repeatable.",
  ),
  "allow-metric-labels-manifest": string("", "File with the same."),
  "disabled-metrics": strings([], "Metrics not to serve, by their full names."),
  "show-hidden-metrics-for-version": string(
    "",
    "Previous minor version whose hidden metrics to serve.",
  ),
};
export const logsFlags = {
  "log-flush-frequency": duration("5s", "Longest time between flushes of the log."),
  "log-json-info-buffer-size": string("0", "Bytes of info messages to hold back (json format)."),
  "log-json-split-stream": bool(false, "Errors to stderr, info to stdout (json format)."),
  "log-text-info-buffer-size": string("0", "Bytes of info messages to hold back (text format)."),
  "log-text-split-stream": bool(false, "Errors to stderr, info to stdout (text format)."),
  "logging-format": string("text", "text or json."),
  v: level(0, "Verbosity of the log.", { shorthand: "v" }),
  vmodule: string("", "pattern=N,...: verbosity by source file (text format)."),
};
export const tracesFlags = {
  "tracing-config-file": string("", "File with a TracingConfiguration."),
};
export const globalFlags = {
  version: version("Print the version and exit; =raw for its details; =vX.Y.Z to report another."),
};
