/**
 * The chain of admission plugins, in order. All mutating plugins run before the registry validates,
 * all validating ones after. Upstream: apiserver/pkg/admission/chain.go.
 */
import { reinvocationOf, wantsReinvocation } from "./dynamic/reinvocation.ts";
import { observePlugin, observeStep, type Step } from "./metrics.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly } from "./plugin.ts";

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  get names(): readonly string[] {
    return this.#plugins.map(({ name }) => name);
  }

  /**
   * Lets every mutating plugin change `attributes.object`; the first to throw refuses. When a webhook
   * or policy changed it, all run once more, as the plugins before have not seen the change.
   */
  async admit(attributes: Attributes): Promise<void> {
    const call = (plugin: AdmissionPlugin) => plugin.admit?.(attributes);
    await this.#run("admit", attributes, call);
    if (!wantsReinvocation(attributes)) return;
    reinvocationOf(attributes).again = true;
    await this.#run("admit", attributes, call);
  }

  /** Asks every validating plugin about what will be stored; the first to throw refuses. */
  validate(attributes: Attributes): Promise<void> {
    const readonly = attributes as DeepReadonly<Attributes>;
    return this.#run("validate", attributes, (plugin) => plugin.validate?.(readonly));
  }

  async #run(
    step: Step,
    attributes: Attributes,
    call: (plugin: AdmissionPlugin) => void | Promise<void>,
  ): Promise<void> {
    const { operation } = attributes;
    const readonly = attributes as DeepReadonly<Attributes>;
    const start = performance.now();
    let before = start;
    let running = "";
    try {
      for (const plugin of this.#plugins) {
        if (plugin[step] === undefined || !plugin.handles(readonly)) continue;
        running = plugin.name;
        await call(plugin);
        const now = performance.now();
        observePlugin(running, step, operation, false, now - before);
        before = now;
      }
      observeStep(step, operation, false, before - start);
    } catch (error) {
      const now = performance.now();
      observePlugin(running, step, operation, true, now - before);
      observeStep(step, operation, true, now - start);
      throw error;
    }
  }
}
