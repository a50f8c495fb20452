/** Upstream: pkg/registry/core/serviceaccount/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { ServiceAccount } from "../../../apis/core/v1/types.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

const ENFORCE_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets";

/** Of references to secrets only the name counts. */
function keepSecretNames(_context: StrategyContext, object: Kube<ServiceAccount>): void {
  object.secrets = object.secrets?.map(({ name }) => (name === undefined ? {} : { name }));
}

const enforceMountableWarning = `metadata.annotations[${ENFORCE_MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`;

function warnings({ metadata }: Kube<ServiceAccount>, old?: Kube<ServiceAccount>): string[] {
  const isSet = metadata?.annotations?.[ENFORCE_MOUNTABLE] !== undefined;
  const wasSet = old?.metadata?.annotations?.[ENFORCE_MOUNTABLE] !== undefined;
  return isSet && !wasSet ? [enforceMountableWarning] : [];
}

export const registration: ResourceRegistration<Kube<ServiceAccount>> = {
  group: "",
  resource: "serviceaccounts",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    prepareForCreate: keepSecretNames,
    validate: () => [],
    warningsOnCreate: (_context, object) => warnings(object),
    prepareForUpdate: keepSecretNames,
    updateMetadataRules: ["update", "create"],
    validateUpdate: () => [],
    warningsOnUpdate: (_context, object, old) => warnings(object, old),
  },
  defaults: {},
};
