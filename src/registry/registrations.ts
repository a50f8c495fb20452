/** Every built-in resource's strategy, defaults and hooks. */
import type { ResourceRegistration } from "./rest/strategy.ts";

export const registrations: readonly ResourceRegistration[] = [];
