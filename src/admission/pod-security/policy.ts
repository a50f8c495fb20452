/**
 * The policy of a namespace: a level and a version for each of enforce, audit and warn, from its
 * labels over the configured defaults. Upstream: pod-security-admission/api/helpers.go.
 */
import { type ErrorList, invalid, Path } from "../../apimachinery/validation/field.ts";

export type Level = "privileged" | "baseline" | "restricted";
/** A minor version of Kubernetes 1.x, or LATEST. */
export type PolicyVersion = number;
export const LATEST: PolicyVersion = Number.POSITIVE_INFINITY;

export interface LevelVersion {
  readonly level: Level;
  readonly version: PolicyVersion;
}
export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

export const PREFIX = "pod-security.kubernetes.io/";
const LEVELS: readonly Level[] = ["privileged", "baseline", "restricted"];
const PRIVILEGED: LevelVersion = { level: "privileged", version: LATEST };
export const DEFAULT_POLICY: Policy = { enforce: PRIVILEGED, audit: PRIVILEGED, warn: PRIVILEGED };
export const MODES = ["enforce", "audit", "warn"] as const;

export const LEVEL_PROBLEM = `must be one of ${LEVELS.join(", ")}`;
export const VERSION_PROBLEM = 'must be "latest" or "v1.x"';

/** Undefined when it is none. */
export function parseLevel(text: string): Level | undefined {
  return LEVELS.find((level) => level === text);
}

/** `latest` or `v1.N`; undefined when it is neither. */
export function parseVersion(text: string): PolicyVersion | undefined {
  if (text === "latest") return LATEST;
  const minor = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(text)?.[1];
  if (minor === undefined || BigInt(minor) >= 2n ** 63n) return undefined;
  return Number(minor);
}

/** `restricted:latest`, `baseline:v1.28`. */
export function levelVersionText({ level, version }: LevelVersion): string {
  return `${level}:${version === LATEST ? "latest" : `v1.${version}`}`;
}

export function isSame(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.version === b.version;
}

/** Above zero when `a` is stricter. */
export function compareLevels(a: Level, b: Level): number {
  return LEVELS.indexOf(a) - LEVELS.indexOf(b);
}

export function isFullyPrivileged({ enforce, audit, warn }: Policy): boolean {
  return [enforce, audit, warn].every(({ level }) => level === "privileged");
}

/** The same for every pod: privileged has no versions. */
export function isEquivalent(a: Policy, b: Policy): boolean {
  return MODES.every((mode) => {
    const bothPrivileged = a[mode].level === "privileged" && b[mode].level === "privileged";
    return bothPrivileged || isSame(a[mode], b[mode]);
  });
}

const LABELS = Path.root("metadata").child("labels");

/**
 * The policy that labels ask for, and what is wrong with them. A wrong level enforces "restricted"
 * but audits and warns about nothing; a wrong version is "latest".
 */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy,
): { readonly policy: Policy; readonly errors: ErrorList } {
  const errors: ErrorList = [];
  const read = <T>(
    label: string,
    parse: (text: string) => T | undefined,
    fallbacks: { readonly absent: T; readonly wrong: T; readonly problem: string },
  ): T => {
    const text = labels?.[PREFIX + label];
    if (text === undefined) return fallbacks.absent;
    const value = parse(text);
    if (value !== undefined) return value;
    errors.push(invalid(LABELS.key(PREFIX + label), text, fallbacks.problem));
    return fallbacks.wrong;
  };
  const modeOf = (mode: (typeof MODES)[number], wrong: Level): LevelVersion => {
    const absent = defaults[mode];
    const level = read(mode, parseLevel, { absent: absent.level, wrong, problem: LEVEL_PROBLEM });
    const version = read(`${mode}-version`, parseVersion, {
      absent: absent.version,
      wrong: LATEST,
      problem: VERSION_PROBLEM,
    });
    return { level, version };
  };
  const enforce = modeOf("enforce", "restricted");
  const audit = modeOf("audit", "privileged");
  const warn = modeOf("warn", "privileged");
  const policy = { enforce, audit, warn: warnDefault(labels, enforce, warn) };
  return { policy, errors };
}

/** Who sets a stricter enforce level and says nothing of warn is warned by it too. */
function warnDefault(
  labels: Readonly<Record<string, string>> | undefined,
  enforce: LevelVersion,
  warn: LevelVersion,
): LevelVersion {
  const isSet = parseLevel(labels?.[`${PREFIX}enforce`] ?? "") !== undefined;
  if (labels?.[`${PREFIX}warn`] !== undefined || !isSet) return warn;
  if (compareLevels(enforce.level, warn.level) <= 0) return warn;
  const hasVersion = labels?.[`${PREFIX}warn-version`] !== undefined;
  return { level: enforce.level, version: hasVersion ? warn.version : enforce.version };
}
