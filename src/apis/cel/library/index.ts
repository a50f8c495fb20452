/**
 * The functions of kube-apiserver's expressions, v1.36. Upstream: apiserver/pkg/cel/environment.
 */
import { type FunctionTable, functionTable } from "../environment.ts";
import { AUTHORIZER } from "./authorizer.ts";
import { CONVERSIONS } from "./conversions.ts";
import { FORMAT_FUNCTIONS } from "./formats.ts";
import { LISTS } from "./lists.ts";
import { NETWORK } from "./network.ts";
import { OPERATORS } from "./operators.ts";
import { OPTIONALS } from "./optionals.ts";
import { QUANTITIES } from "./quantities.ts";
import { REGEX } from "./regex.ts";
import { STRINGS } from "./strings.ts";
import { TIMES } from "./times.ts";
import { URLS } from "./urls.ts";

export const FUNCTIONS: FunctionTable = functionTable([
  OPERATORS,
  CONVERSIONS,
  STRINGS,
  TIMES,
  OPTIONALS,
  LISTS,
  REGEX,
  URLS,
  AUTHORIZER,
  QUANTITIES,
  NETWORK,
  FORMAT_FUNCTIONS,
]);
