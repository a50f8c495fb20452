/**
 * Who may approve and sign certificates, and for whom nobody may ask.
 * Upstream: plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}.
 */
import type { CertificateSigningRequest } from "../../apis/certificates/v1/types.ts";
import { deny } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly } from "../plugin.ts";

/** Whether the user of the request may `verb` the signer of that name. */
export type MaySigner = (
  user: DeepReadonly<Attributes>["user"],
  verb: "approve" | "sign" | "attest",
  signerName: string,
) => Promise<boolean>;

/** The signer itself, or every signer of its domain. */
export async function mayUseSigner(
  may: MaySigner,
  user: DeepReadonly<Attributes>["user"],
  verb: "approve" | "sign" | "attest",
  signerName: string,
): Promise<boolean> {
  if (await may(user, verb, signerName)) return true;
  const domain = signerName.split("/", 1)[0] ?? "";
  return may(user, verb, `${domain}/*`);
}

function isCsr({ resource }: DeepReadonly<Attributes>): boolean {
  const isGroup = resource.group === "certificates.k8s.io";
  return isGroup && resource.resource === "certificatesigningrequests";
}

export function certificateApproval(may: MaySigner): AdmissionPlugin {
  return {
    name: "CertificateApproval",

    handles(attributes) {
      const { operation, subresource } = attributes;
      return operation === "UPDATE" && subresource === "approval" && isCsr(attributes);
    },

    async validate(attributes) {
      const signer = (attributes.oldObject as CertificateSigningRequest).spec?.signerName ?? "";
      if (await mayUseSigner(may, attributes.user, "approve", signer)) return;
      const quoted = JSON.stringify(signer);
      throw deny(attributes, `user not permitted to approve requests with signerName ${quoted}`);
    },
  };
}

export function certificateSigning(may: MaySigner): AdmissionPlugin {
  return {
    name: "CertificateSigning",

    handles(attributes) {
      const { operation, subresource } = attributes;
      return operation === "UPDATE" && subresource === "status" && isCsr(attributes);
    },

    async validate(attributes) {
      const next = attributes.object as CertificateSigningRequest;
      const old = attributes.oldObject as CertificateSigningRequest;
      const conditions = (one: CertificateSigningRequest) =>
        JSON.stringify(one.status?.conditions ?? []);
      const sameCertificate = next.status?.certificate === old.status?.certificate;
      if (sameCertificate && conditions(next) === conditions(old)) return;
      const signer = old.spec?.signerName ?? "";
      if (await mayUseSigner(may, attributes.user, "sign", signer)) return;
      const quoted = JSON.stringify(signer);
      throw deny(attributes, `user not permitted to sign requests with signerName ${quoted}`);
    },
  };
}

const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
const MASTERS = "system:masters";

/** `organizationsOf` reads O of a PEM request's subject. */
export function certificateSubjectRestriction(
  organizationsOf: (request: string) => readonly string[],
): AdmissionPlugin {
  return {
    name: "CertificateSubjectRestriction",

    handles(attributes) {
      const { operation, subresource } = attributes;
      return operation === "CREATE" && subresource === "" && isCsr(attributes);
    },

    validate(attributes) {
      const { spec } = attributes.object as CertificateSigningRequest;
      if (spec?.signerName !== CLIENT_SIGNER) return;
      const pem = Buffer.from(spec.request ?? "", "base64").toString("latin1");
      if (!organizationsOf(pem).includes(MASTERS)) return;
      const why = `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`;
      throw deny(attributes, why);
    },
  };
}
