/** Upstream: pkg/registry/certificates/certificates/strategy.go. */
import { nameIsPathSegment } from "../../../apimachinery/validation/object-meta.ts";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "../../../apis/certificates/v1/types.ts";
import {
  validateCertificateSigningRequest,
  validateCertificateSigningRequestUpdate,
} from "../../../apis/certificates/v1/validation.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { type Kube, keepFields } from "../../strategy-parts.ts";

type Request = Kube<CertificateSigningRequest>;

export const registration: ResourceRegistration<Request> = {
  group: "certificates.k8s.io",
  resource: "certificatesigningrequests",
  strategy: {
    validateName: nameIsPathSegment,
    prepareForCreate,
    validate: (_context, object) => validateCertificateSigningRequest(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "spec", "status"),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object, old) => validateCertificateSigningRequestUpdate(object, old),
    resetFields: ["spec", "status"],
    subresources: {
      status: {
        prepareForUpdate(context, object, old) {
          keepFields(object, old, "spec");
          for (const type of ["Approved", "Denied"]) keepConditions(object, old, type);
          fillTimes(context, object, old);
        },
        updateMetadataRules: ["create", "update"],
        validateUpdate: (_context, object, old) =>
          validateCertificateSigningRequestUpdate(object, old, { allowSettingCertificate: true }),
        resetFields: ["spec", "status.conditions"],
      },
      approval: {
        prepareForUpdate(context, object, old) {
          keepFields(object, old, "spec");
          fillTimes(context, object, old);
          const conditions = object.status?.conditions;
          keepFields(object, old, "status");
          if (conditions !== undefined) object.status = { ...object.status, conditions };
          else delete object.status?.conditions;
        },
        updateMetadataRules: ["create", "update"],
        validateUpdate: (_context, object, old) =>
          validateCertificateSigningRequestUpdate(object, old, {
            allowSettingApprovalConditions: true,
          }),
        resetFields: ["spec", "status.certificate"],
      },
    },
  },
  defaults: {},
};

/** Who asks is the server's to say, and nobody creates an approved request. */
function prepareForCreate({ user }: StrategyContext, object: Request): void {
  delete object.status;
  object.spec ??= {};
  const { spec } = object;
  for (const name of ["username", "uid", "groups", "extra"] as const) delete spec[name];
  spec.username = user.name;
  if (user.uid !== "") spec.uid = user.uid;
  if (user.groups.length > 0) spec.groups = [...user.groups];
  const extra = Object.entries(user.extra).map(([key, v]): [string, string[]] => [key, [...v]]);
  if (extra.length > 0) spec.extra = Object.fromEntries(extra);
}

/** Conditions of the type stay as stored when there are as many as before. */
function keepConditions(object: Request, old: Request, type: string): void {
  const now = object.status?.conditions ?? [];
  const then = (old.status?.conditions ?? []).filter((condition) => condition.type === type);
  const places = now.flatMap((condition, i) => (condition.type === type ? [i] : []));
  if (places.length !== then.length) return;
  for (const [i, place] of places.entries()) now[place] = { ...then[i] };
}

function fillTimes({ now }: StrategyContext, object: Request, old: Request): void {
  const time = now()
    .toISOString()
    .replace(/\.\d+Z$/, "Z");
  for (const condition of object.status?.conditions ?? []) {
    condition.lastUpdateTime ??= time;
    condition.lastTransitionTime ??= transitionOf(condition, old) ?? time;
  }
}

function transitionOf(
  { type, status }: CertificateSigningRequestCondition,
  old: Request,
): string | undefined {
  const same = (old.status?.conditions ?? []).find(
    (other) => other.type === type && other.status === status && other.lastTransitionTime,
  );
  return same?.lastTransitionTime;
}
