/**
 * The admission plugins that flags ask for, with what they need of the rest of the server.
 * Upstream: pkg/kubeapiserver/options/admission.go, apiserver/pkg/server/options/admission.go.
 */
import { readFileSync } from "node:fs";
import { loadAdmissionConfig } from "./admission/config.ts";
import { AdmissionConfigError, type PluginConfigs } from "./admission/config-types.ts";
import type { AdmissionPlugin, KindResource, Listers, MayUser } from "./admission/plugin.ts";
import { pluginNames } from "./admission/plugins/plugin-names.ts";
import { createPlugins, type PluginSelection } from "./admission/plugins/plugins.ts";
import { parseFieldSelector } from "./apimachinery/fields/selector.ts";
import { parseLabelSelector } from "./apimachinery/labels/parse.ts";
import { commonNameOf } from "./authentication/x509/certificate-request.ts";
import type { Authorizer } from "./authorization/authorizer.ts";
import type { Gates } from "./gates.ts";
import { createVersions } from "./gates-versions.ts";
import { createPostReview } from "./gates-webhooks.ts";
import type { Flags } from "./options/flags.ts";
import { createAdmissionWriter } from "./registry/admission-writer.ts";
import type { ServedResources } from "./registry/install.ts";
import { retriesFrom, WebhookClient } from "./request/outgoing/webhook-client.ts";
import { ConfigError, loadWebhookConfig } from "./settings.ts";

const IMAGE_REVIEW_MS_MAX = 30_000;
const CONFIG_FLAG = "--admission-control-config-file";

export interface AdmissionSetup {
  readonly flags: Flags;
  readonly gate: (name: string) => boolean;
  readonly listers: Listers;
  readonly served: () => ServedResources;
  readonly access: Pick<Gates, "authorizer" | "maySigner" | "organizationsOf" | "always">;
}

/** Throws ConfigError for a file that can not be used. */
export function createAdmission(setup: AdmissionSetup): readonly AdmissionPlugin[] {
  const { flags, gate, listers, served, access } = setup;
  const config = readConfig(flags["admission-control-config-file"]);
  const reviewImages = imageReviewer(config);
  try {
    return createPlugins(
      {
        listers,
        writer: createAdmissionWriter(served, gate),
        mayUser: mayUserBy(access.authorizer),
        gate,
        tolerationSeconds: {
          notReady: flags["default-not-ready-toleration-seconds"],
          unreachable: flags["default-unreachable-toleration-seconds"],
        },
        maySigner: access.maySigner,
        organizationsOf: access.organizationsOf,
        commonNameOf,
        resourcesOfKind: (group, version, kind) => resourcesOfKind(served(), group, version, kind),
        ...(reviewImages === undefined ? {} : { reviewImages }),
        config,
        dynamic: {
          listers,
          versions: createVersions(served),
          mayUser: mayUserBy(access.authorizer),
          post: createPostReview(listers),
        },
        always: access.always,
      },
      selectionOf(flags),
    );
  } catch (error) {
    if (error instanceof AdmissionConfigError) {
      throw new ConfigError(`${CONFIG_FLAG}: ${error.message}`);
    }
    throw error;
  }
}

/** `--admission-control` names exactly what runs; the other two change the default set. */
function selectionOf(flags: Flags): PluginSelection {
  const exact = flags["admission-control"];
  if (exact.length > 0) {
    return { enabled: exact, disabled: pluginNames.filter((name) => !exact.includes(name)) };
  }
  return {
    enabled: flags["enable-admission-plugins"],
    disabled: flags["disable-admission-plugins"],
  };
}

function readConfig(path: string): PluginConfigs {
  if (path === "") return {};
  try {
    return loadAdmissionConfig(path, (file) => readFileSync(file, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${CONFIG_FLAG}: ${path}: ${why}`);
  }
}

function imageReviewer({ imagePolicy }: PluginConfigs) {
  if (imagePolicy === undefined) return undefined;
  const connection = loadWebhookConfig(CONFIG_FLAG, imagePolicy.kubeConfigFile);
  const client = new WebhookClient(connection, {
    timeoutMs: IMAGE_REVIEW_MS_MAX,
    retry: retriesFrom(imagePolicy.retryBackoffMs),
  });
  return (body: string) => client.post(body);
}

/** Asks the server's own authorizer about what a request's user may do elsewhere. */
export function mayUserBy(authorizer: Authorizer): MayUser {
  return async ({ user, verb, group, resource, ...of }) => {
    const { decision, reason } = await authorizer.authorize({
      user,
      verb,
      resourceRequest: of.path === undefined,
      apiGroup: group,
      apiVersion: of.version ?? "*",
      resource,
      subresource: of.subresource ?? "",
      namespace: of.namespace ?? "",
      name: of.name ?? "",
      path: of.path ?? "",
      ...selectorsOf(of.fieldSelector, of.labelSelector),
    });
    return { allowed: decision === "Allow", reason };
  };
}

/** Selectors that can be read; one that can not narrows nothing, as upstream has it. */
function selectorsOf(fieldText = "", labelText = "") {
  const fieldSelector = readable(fieldText, parseFieldSelector);
  const labelSelector = readable(labelText, parseLabelSelector);
  return {
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

function readable<T>(text: string, parse: (text: string) => T): T | undefined {
  if (text === "") return undefined;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Every resource that serves objects of the kind in that version. */
export function resourcesOfKind(
  served: ServedResources,
  group: string,
  version: string,
  kind: string,
): readonly KindResource[] {
  return served
    .all()
    .filter(({ kind: one }) => one.group === group && one.version === version && one.kind === kind)
    .map(({ gvr, namespaced }) => ({ ...gvr, namespaced }));
}
