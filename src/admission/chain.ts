/**
 * The chain of admission plugins, in order. All mutating plugins run before the registry validates,
 * all validating ones after. Upstream: apiserver/pkg/admission/chain.go.
 */
import type { AdmissionPlugin, Attributes, DeepReadonly } from "./plugin.ts";

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  get names(): readonly string[] {
    return this.#plugins.map(({ name }) => name);
  }

  /** Lets every mutating plugin change `attributes.object`; the first to throw refuses. */
  async admit(attributes: Attributes): Promise<void> {
    for (const plugin of this.#plugins) {
      if (plugin.admit !== undefined && plugin.handles(attributes as DeepReadonly<Attributes>)) {
        await plugin.admit(attributes);
      }
    }
  }

  async validate(attributes: Attributes): Promise<void> {
    const readonly = attributes as DeepReadonly<Attributes>;
    for (const plugin of this.#plugins) {
      if (plugin.validate !== undefined && plugin.handles(readonly))
        await plugin.validate(readonly);
    }
  }
}
