/**
 * The functions known to kube-apiserver's CEL environment, by name, with the type they give where
 * it is always the same. Upstream: cel-go's standard library and apiserver/pkg/cel/library.
 */
export const FUNCTION_RESULTS: Readonly<Record<string, string>> = {
  ...named("bool", "contains endsWith startsWith matches isURL isIP isCIDR isQuantity isSorted"),
  ...named("bool", "allowed hasValue isUnspecified isLoopback isLinkLocalMulticast"),
  ...named("bool", "isLinkLocalUnicast isGlobalUnicast containsIP containsCIDR isCanonical"),
  ...named("bool", "isGreaterThan isLessThan isInteger isSemver errored"),
  ...named("bool", "sets.contains sets.equivalent sets.intersects ip.isCanonical bool"),
  ...named("int", "size int getFullYear getMonth getDayOfMonth getDayOfYear getDayOfWeek getDate"),
  ...named("int", "getHours getMinutes getSeconds getMilliseconds indexOf lastIndexOf family"),
  ...named("int", "prefixLength sign asInteger compareTo major minor patch"),
  ...named("string", "string lowerAscii upperAscii charAt join replace substring trim quote"),
  ...named("string", "strings.quote reverse format getScheme getHost getHostname getPort"),
  ...named("string", "getEscapedPath reason error jsonpatch.escapeKey find"),
  ...named("double", "double asApproximateFloat"),
  ...named("uint", "uint"),
  ...named("bytes", "bytes base64.decode"),
  ...named("dyn", "dyn type duration timestamp url ip cidr quantity semver add sub sum min max"),
  ...named("dyn", "findAll split getQuery masked path group serviceAccount resource subresource"),
  ...named("dyn", "namespace name check fieldSelector labelSelector optional.of optional.none"),
  ...named("dyn", "optional.ofNonZeroValue value or orValue optMap optFlatMap first last distinct"),
  ...named("dyn", "flatten slice sort sortBy lists.range unwrap unwrapOpt validate format.named"),
};

function named(result: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((name) => [name, result]));
}

/** Macros that bring variables of their own: how many of the first arguments name one. */
export const COMPREHENSIONS: Readonly<Record<string, string>> = {
  all: "bool",
  exists: "bool",
  exists_one: "bool",
  existsOne: "bool",
  filter: "same",
  map: "list",
  transformList: "list",
  transformMap: "dyn",
  transformMapEntry: "dyn",
  optMap: "dyn",
  optFlatMap: "dyn",
  sortBy: "same",
};
