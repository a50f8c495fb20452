/** Upstream: pkg/registry/apps/controllerrevision/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { ControllerRevision } from "../../../apis/apps/v1/types.ts";
import {
  validateControllerRevision,
  validateControllerRevisionUpdate,
} from "../../../apis/apps/v1/validation/controllerrevision.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ControllerRevision>> = {
  group: "apps",
  resource: "controllerrevisions",
  strategy: {
    validateName: nameIsDNSSubdomain,
    validate: (_context, revision) => validateControllerRevision(revision),
    updateMetadataRules: ["update", "create"],
    validateUpdate: (_context, revision, old) => validateControllerRevisionUpdate(revision, old),
  },
  defaults: {},
};
