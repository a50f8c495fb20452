/** Namespaces. Upstream: ValidateNamespace and its Status and Finalize updates. */
import { type ErrorList, invalid, Path } from "../../../../apimachinery/validation/field.ts";
import { validateFinalizerName } from "../../../../apimachinery/validation/object-meta.ts";
import type { Namespace } from "../types.ts";

const finalizersPath = Path.root("spec", "finalizers");

export function validateNamespace({ spec }: Namespace): ErrorList {
  return (spec?.finalizers ?? []).flatMap((name) => validateFinalizerName(name, finalizersPath));
}

/** The phase follows the deletion timestamp. */
export function validateNamespaceStatusUpdate({ metadata, status }: Namespace): ErrorList {
  const phase = status?.phase ?? "";
  const deleting = metadata?.deletionTimestamp !== undefined;
  const wanted = deleting ? "Terminating" : "Active";
  if (phase === wanted) return [];
  const when = deleting ? "is not empty" : "is empty";
  const detail = `may only be '${wanted}' if \`deletionTimestamp\` ${when}`;
  return [invalid(Path.root("status", "Phase"), phase, detail)];
}

export function validateNamespaceFinalizeUpdate({ spec }: Namespace): ErrorList {
  return (spec?.finalizers ?? []).flatMap((name, i) =>
    validateFinalizerName(name, finalizersPath.index(i)),
  );
}
