/**
 * The server's log: klog's text form, or JSON, one line an entry, on stderr.
 * Upstream: k8s.io/klog/v2 and component-base/logs/json. It lives this low so that any layer can
 * log; nothing else in src writes to the console.
 */
import { writeSync } from "node:fs";

export type LogValue = string | number | boolean | bigint | undefined | null | Error;
export type LogFields = Readonly<Record<string, LogValue>>;
export interface LogConfig {
  readonly format: "text" | "json";
  /** klog's -v: info(level) prints entries up to this level. */
  readonly verbosity: number;
  /** Short name of the thread, printed where klog prints the source file. */
  readonly thread: string;
}

let config: LogConfig = { format: "text", verbosity: 0, thread: "main" };
let write: (line: string) => void = writeStderr;

/** Sets format and verbosity of this thread's log. */
export function configureLog(changes: Partial<LogConfig>, sink?: (line: string) => void): void {
  config = { ...config, ...changes };
  if (sink !== undefined) write = sink;
}

/** An entry for operators at -v `level` (0: always). */
export function logInfo(message: string, fields: LogFields = {}, level = 0): void {
  if (level <= config.verbosity) emit("I", message, fields, level);
}
export function logWarning(message: string, fields: LogFields = {}): void {
  emit("W", message, fields, 0);
}
export function logError(message: string, error?: unknown, fields: LogFields = {}): void {
  const err = error === undefined ? {} : { err: textOf(error) };
  emit("E", message, { ...err, ...fields }, 0);
}

function emit(severity: "I" | "W" | "E", message: string, fields: LogFields, level: number): void {
  const now = new Date();
  write(config.format === "json" ? jsonLine(severity, message, fields, level, now) : textLine());

  function textLine(): string {
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${quoteValue(value)}`)
      .join("");
    return `${header(severity, now)}${JSON.stringify(message)}${pairs}\n`;
  }
}

/** `I0102 15:04:05.000000       1 front-0] `: klog's header with the thread as its source. */
function header(severity: string, now: Date): string {
  const pad = (value: number, width = 2) => String(value).padStart(width, "0");
  const date = `${pad(now.getUTCMonth() + 1)}${pad(now.getUTCDate())}`;
  const micros = `${pad(now.getUTCMilliseconds(), 3)}000`;
  const time = `${pad(now.getUTCHours())}:${pad(now.getUTCMinutes())}:${pad(now.getUTCSeconds())}`;
  const process_ = String(process.pid).padStart(7, " ");
  return `${severity}${date} ${time}.${micros} ${process_} ${config.thread}] `;
}

function jsonLine(severity: string, msg: string, fields: LogFields, v: number, now: Date): string {
  const entry: Record<string, unknown> = { ts: now.getTime(), caller: config.thread, msg };
  if (severity !== "E") entry["v"] = v;
  for (const [key, value] of Object.entries(fields)) {
    entry[key] = value instanceof Error || typeof value === "bigint" ? textOf(value) : value;
  }
  return `${JSON.stringify(entry)}\n`;
}

function quoteValue(value: LogValue): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(textOf(value));
}
function textOf(value: unknown): string {
  if (!(value instanceof Error)) return String(value);
  return config.verbosity >= 4 ? (value.stack ?? value.message) : value.message;
}

/** Synchronous, so that nothing is lost when the process ends right after; a full pipe drops. */
function writeStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // EAGAIN of a full pipe, EPIPE of a closed one: a log must not take the server down.
  }
}
