/** What the registry knows of pods and of the kinds that make them. */
import { registration as controllerRevisions } from "./apps/controllerrevisions/strategy.ts";
import { registration as daemonSets } from "./apps/daemonsets/strategy.ts";
import { registration as deployments } from "./apps/deployments/strategy.ts";
import { registration as replicaSets } from "./apps/replicasets/strategy.ts";
import { registration as statefulSets } from "./apps/statefulsets/strategy.ts";
import { registration as cronJobs } from "./batch/cronjobs/strategy.ts";
import { registration as jobs } from "./batch/jobs/strategy.ts";
import { registration as pods } from "./core/pods/strategy.ts";
import { registration as podTemplates } from "./core/podtemplates/strategy.ts";
import { registration as replicationControllers } from "./core/replicationcontrollers/strategy.ts";
import { type ResourceRegistration, registration } from "./rest/strategy.ts";

/** One per resource, in no particular order. */
export const registrations: readonly ResourceRegistration[] = [
  registration(controllerRevisions),
  registration(cronJobs),
  registration(daemonSets),
  registration(deployments),
  registration(jobs),
  registration(podTemplates),
  registration(pods),
  registration(replicaSets),
  registration(replicationControllers),
  registration(statefulSets),
];
