/** The types an expression can name, as in `type(x) == string`. Upstream: cel-go common/stdlib. */
import { CIDR_TYPE, IP_TYPE } from "./library/network.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  runtimeName,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
} from "./types.ts";

const NAMED: readonly CelType[] = [
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  INT,
  listOf(DYN),
  mapOf(DYN, DYN),
  NULL,
  STRING,
  TIMESTAMP,
  typeOf(undefined),
  UINT,
  optionalOf(DYN),
  IP_TYPE,
  CIDR_TYPE,
];

/** Types by the names expressions know them by. */
export const TYPE_NAMES: ReadonlyMap<string, CelType> = new Map(
  NAMED.map((type) => [runtimeName(type), type]),
);
