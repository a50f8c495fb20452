/**
 * Only who may attest for a signer publishes trust anchors in its name.
 * Upstream: plugin/pkg/admission/certificates/ctbattest.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { deny, isResource, onlyCollectorFieldsChange } from "../errors.ts";
import type { AdmissionPlugin, DeepReadonly } from "../plugin.ts";
import { type MaySigner, mayUseSigner } from "./certificates.ts";

interface ClusterTrustBundle extends KubeObject {
  spec?: { signerName?: string };
}

export function clusterTrustBundleAttest(may: MaySigner): AdmissionPlugin {
  return {
    name: "ClusterTrustBundleAttest",

    handles(attributes) {
      const { operation } = attributes;
      const isWrite = operation === "CREATE" || operation === "UPDATE";
      return isWrite && isResource(attributes, "certificates.k8s.io", "clustertrustbundles");
    },

    async validate(attributes) {
      const { object, oldObject, operation, user } = attributes;
      const signer = (object as DeepReadonly<ClusterTrustBundle>).spec?.signerName ?? "";
      if (signer === "") return;
      if (operation === "UPDATE" && onlyCollectorFieldsChange(object, oldObject)) return;
      if (await mayUseSigner(may, user, "attest", signer)) return;
      throw deny(
        attributes,
        `user not permitted to attest for signerName ${JSON.stringify(signer)}`,
      );
    },
  };
}
