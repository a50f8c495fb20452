/** What the registry knows of the built-in kinds beyond core, apps, batch and networking. */
import { registration as mutatingPolicies } from "./admissionregistration/mutatingadmissionpolicy/strategy.ts";
import { registration as mutatingBindings } from "./admissionregistration/mutatingadmissionpolicybinding/strategy.ts";
import { registration as mutatingWebhooks } from "./admissionregistration/mutatingwebhookconfiguration/strategy.ts";
import { registration as validatingPolicies } from "./admissionregistration/validatingadmissionpolicy/strategy.ts";
import { registration as validatingBindings } from "./admissionregistration/validatingadmissionpolicybinding/strategy.ts";
import { registration as validatingWebhooks } from "./admissionregistration/validatingwebhookconfiguration/strategy.ts";
import { registration as customResourceDefinitions } from "./apiextensions/customresourcedefinition/strategy.ts";
import { registration as apiServices } from "./apiregistration/apiservice/strategy.ts";
import { registration as selfSubjectReviews } from "./authentication/selfsubjectreview/strategy.ts";
import { registration as tokenReviews } from "./authentication/tokenreview/strategy.ts";
import { registration as localSubjectAccessReviews } from "./authorization/localsubjectaccessreview/strategy.ts";
import { registration as selfSubjectAccessReviews } from "./authorization/selfsubjectaccessreview/strategy.ts";
import { registration as selfSubjectRulesReviews } from "./authorization/selfsubjectrulesreview/strategy.ts";
import { registration as subjectAccessReviews } from "./authorization/subjectaccessreview/strategy.ts";
import { registration as autoscalers } from "./autoscaling/horizontalpodautoscaler/strategy.ts";
import { registration as certificateRequests } from "./certificates/certificatesigningrequest/strategy.ts";
import { registration as trustBundles } from "./certificates/clustertrustbundle/strategy.ts";
import { registration as podCertificateRequests } from "./certificates/podcertificaterequest/strategy.ts";
import { registration as flowSchemas } from "./flowcontrol/flowschema/strategy.ts";
import { registration as priorityLevels } from "./flowcontrol/prioritylevelconfiguration/strategy.ts";
import { registration as storageVersions } from "./internal/storageversion/strategy.ts";
import { registration as runtimeClasses } from "./node/runtimeclass/strategy.ts";
import { registration as clusterRoles } from "./rbac/clusterrole/strategy.ts";
import { registration as clusterRoleBindings } from "./rbac/clusterrolebinding/strategy.ts";
import { registration as roles } from "./rbac/role/strategy.ts";
import { registration as roleBindings } from "./rbac/rolebinding/strategy.ts";
import { registration as deviceClasses } from "./resource/deviceclass/strategy.ts";
import { registration as deviceTaintRules } from "./resource/devicetaintrule/strategy.ts";
import { registration as resourceClaims } from "./resource/resourceclaim/strategy.ts";
import { registration as resourceClaimTemplates } from "./resource/resourceclaimtemplate/strategy.ts";
import { registration as poolStatusRequests } from "./resource/resourcepoolstatusrequest/strategy.ts";
import { registration as resourceSlices } from "./resource/resourceslice/strategy.ts";
import { type ResourceRegistration, registration } from "./rest/strategy.ts";
import { registration as podGroups } from "./scheduling/podgroup/strategy.ts";
import { registration as priorityClasses } from "./scheduling/priorityclass/strategy.ts";
import { registration as workloads } from "./scheduling/workload/strategy.ts";
import { registration as csiDrivers } from "./storage/csidriver/strategy.ts";
import { registration as csiNodes } from "./storage/csinode/strategy.ts";
import { registration as csiStorageCapacities } from "./storage/csistoragecapacity/strategy.ts";
import { registration as storageClasses } from "./storage/storageclass/strategy.ts";
import { registration as volumeAttachments } from "./storage/volumeattachment/strategy.ts";
import { registration as volumeAttributesClasses } from "./storage/volumeattributesclass/strategy.ts";
import { registration as storageVersionMigrations } from "./storagemigration/storageversionmigration/strategy.ts";

/** One per resource, in no particular order. */
export const registrations: readonly ResourceRegistration[] = [
  registration(mutatingPolicies),
  registration(mutatingBindings),
  registration(mutatingWebhooks),
  registration(validatingPolicies),
  registration(validatingBindings),
  registration(validatingWebhooks),
  registration(customResourceDefinitions),
  registration(deviceClasses),
  registration(deviceTaintRules),
  registration(resourceClaims),
  registration(resourceClaimTemplates),
  registration(poolStatusRequests),
  registration(resourceSlices),
  registration(subjectAccessReviews),
  registration(selfSubjectAccessReviews),
  registration(localSubjectAccessReviews),
  registration(selfSubjectRulesReviews),
  registration(tokenReviews),
  registration(selfSubjectReviews),
  registration(storageVersions),
  registration(storageVersionMigrations),
  registration(apiServices),
  registration(autoscalers),
  registration(clusterRoleBindings),
  registration(clusterRoles),
  registration(csiDrivers),
  registration(csiNodes),
  registration(csiStorageCapacities),
  registration(flowSchemas),
  registration(podGroups),
  registration(priorityClasses),
  registration(workloads),
  registration(priorityLevels),
  registration(roleBindings),
  registration(roles),
  registration(certificateRequests),
  registration(trustBundles),
  registration(podCertificateRequests),
  registration(runtimeClasses),
  registration(storageClasses),
  registration(volumeAttachments),
  registration(volumeAttributesClasses),
];
