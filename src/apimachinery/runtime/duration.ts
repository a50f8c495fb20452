/** Go's time.Duration: parsing and printing, exact in nanoseconds. */
import { DecodeError } from "./decode-error.ts";
import { goQuote } from "./go-text.ts";

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const INT64_MAX = 2n ** 63n - 1n;

/** Parses `1h2m3.5s` into nanoseconds. Throws DecodeError with Go's text. */
export function parseDuration(text: string): bigint {
  const invalid = () => new DecodeError("type", `time: invalid duration ${goQuote(text)}`);
  const negative = text.startsWith("-");
  let rest = /^[-+]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return 0n;
  if (rest === "") throw invalid();
  let total = 0n;
  while (rest !== "") {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest);
    const [whole = "", integer = "", decimals = ""] = number ?? [];
    if (integer === "" && decimals === "") throw invalid();
    rest = rest.slice(whole.length);
    const unit = /^[^.0-9]+/.exec(rest)?.[0];
    if (unit === undefined) {
      throw new DecodeError("type", `time: missing unit in duration ${goQuote(text)}`);
    }
    const nanos = UNITS[unit];
    if (nanos === undefined) {
      const message = `time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`;
      throw new DecodeError("type", message);
    }
    rest = rest.slice(unit.length);
    const scale = 10n ** BigInt(decimals.length);
    total += BigInt(integer === "" ? 0 : integer) * nanos;
    total += (BigInt(decimals === "" ? 0 : decimals) * nanos) / scale;
    if (total > INT64_MAX + (negative ? 1n : 0n)) throw invalid();
  }
  return negative ? -total : total;
}

/** Prints nanoseconds as Go's Duration.String: `1h2m3.5s`, `1.5ms`, `0s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const value = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (value < 1_000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${decimal(value, 3)}µs`;
  if (value < 1_000_000_000n) return `${sign}${decimal(value, 6)}ms`;
  const seconds = value / 1_000_000_000n;
  const fraction = decimal((seconds % 60n) * 1_000_000_000n + (value % 1_000_000_000n), 9);
  const minutes = seconds / 60n;
  if (minutes === 0n) return `${sign}${fraction}s`;
  if (minutes < 60n) return `${sign}${minutes}m${fraction}s`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${fraction}s`;
}

/** `value` / 10^places without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const text = String(value).padStart(places + 1, "0");
  const fraction = text.slice(-places).replace(/0+$/, "");
  const integer = text.slice(0, -places);
  return fraction === "" ? integer : `${integer}.${fraction}`;
}
