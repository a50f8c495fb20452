/** What the registry knows of core kinds other than pods, and of networking and its neighbours. */
import { registration as leases } from "./coordination/lease/strategy.ts";
import { registration as leaseCandidates } from "./coordination/leasecandidate/strategy.ts";
import { registration as configMaps } from "./core/configmap/strategy.ts";
import { registration as endpoints } from "./core/endpoint/strategy.ts";
import { registration as events, eventsRegistration } from "./core/event/strategy.ts";
import { registration as limitRanges } from "./core/limitrange/strategy.ts";
import { registration as namespaces } from "./core/namespace/strategy.ts";
import { registration as nodes } from "./core/node/strategy.ts";
import { registration as persistentVolumes } from "./core/persistentvolume/strategy.ts";
import { registration as persistentVolumeClaims } from "./core/persistentvolumeclaim/strategy.ts";
import { registration as resourceQuotas } from "./core/resourcequota/strategy.ts";
import { registration as secrets } from "./core/secret/strategy.ts";
import { registration as serviceAccounts } from "./core/serviceaccount/strategy.ts";
import { registration as services } from "./core/services/strategy.ts";
import { registration as endpointSlices } from "./discovery/endpointslice/strategy.ts";
import { registration as ingresses } from "./networking/ingress/strategy.ts";
import { registration as ingressClasses } from "./networking/ingressclass/strategy.ts";
import { registration as ipAddresses } from "./networking/ipaddress/strategy.ts";
import { registration as networkPolicies } from "./networking/networkpolicy/strategy.ts";
import { registration as serviceCIDRs } from "./networking/servicecidr/strategy.ts";
import { registration as podDisruptionBudgets } from "./policy/poddisruptionbudget/strategy.ts";
import { type ResourceRegistration, registration } from "./rest/strategy.ts";

/** One per resource, in no particular order. */
export const registrations: readonly ResourceRegistration[] = [
  registration(configMaps),
  registration(endpoints),
  registration(endpointSlices),
  registration(events),
  registration(eventsRegistration),
  registration(ingressClasses),
  registration(ingresses),
  registration(ipAddresses),
  registration(leaseCandidates),
  registration(leases),
  registration(limitRanges),
  registration(namespaces),
  registration(networkPolicies),
  registration(nodes),
  registration(persistentVolumeClaims),
  registration(persistentVolumes),
  registration(podDisruptionBudgets),
  registration(resourceQuotas),
  registration(secrets),
  registration(serviceAccounts),
  registration(serviceCIDRs),
  registration(services),
];
