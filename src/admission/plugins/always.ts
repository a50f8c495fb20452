/**
 * The two plugins that look at nothing: deprecated, for tests of a chain.
 * Upstream: plugin/pkg/admission/{admit,deny}.
 */
import { deny } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly } from "../plugin.ts";

export const alwaysAdmit: AdmissionPlugin = {
  name: "AlwaysAdmit",
  handles: () => false,
};

const refuse = (attributes: DeepReadonly<Attributes>) => {
  throw deny(attributes, "admission control is denying all modifications");
};

export const alwaysDeny: AdmissionPlugin = {
  name: "AlwaysDeny",
  handles: () => true,
  admit: (attributes) => refuse(attributes as DeepReadonly<Attributes>),
  validate: refuse,
};
