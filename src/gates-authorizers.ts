/** The authorizers of `--authorization-mode` or `--authorization-config`, in their order. */
import { abacAuthorizer, parseAbacPolicies } from "./authorization/abac.ts";
import {
  AuthorizationConfigError,
  type ConfiguredAuthorizer,
  parseAuthorizationConfig,
  type WebhookSettings,
} from "./authorization/authorization-config.ts";
import type { Authorizer, RuleResolver } from "./authorization/authorizer.ts";
import {
  alwaysAllow,
  alwaysDeny,
  everythingResolver,
  nothingResolver,
  privilegedGroups,
} from "./authorization/builtin.ts";
import { followNodeGraph } from "./authorization/node/follow.ts";
import type { NodeGraph } from "./authorization/node/graph.ts";
import { nodeAuthorizer } from "./authorization/node/node.ts";
import { RbacIndex } from "./authorization/rbac/index.ts";
import { followRbac } from "./authorization/rbac/informers.ts";
import { rbacAuthorizer } from "./authorization/rbac/rbac.ts";
import { unionAuthorizer, unionRuleResolver } from "./authorization/union.ts";
import { webhookAuthorizer } from "./authorization/webhook.ts";
import type { GatesConfig } from "./gates-config.ts";
import { nodeRules } from "./registry/rbac/bootstrap.ts";
import type { RoleRules } from "./registry/rbac/escalation.ts";
import { retriesFrom, WebhookClient } from "./request/outgoing/webhook-client.ts";
import { watchFiles } from "./server/file-watch.ts";
import { ConfigError, loadWebhookConfig, readConfigFile } from "./settings.ts";

export interface Authorizers {
  readonly authorizer: Authorizer;
  readonly resolver: RuleResolver;
  /** For escalation checks, whatever the modes are. */
  readonly rbac: RoleRules;
  /** The names of the modes in force. */
  readonly modes: readonly string[];
  readonly synced: Promise<void>;
  close(): void;
}

interface Mode {
  readonly authorizer: Authorizer;
  readonly resolver: RuleResolver;
  close?(): void;
}
const BACKOFF_MS = 500;
const TIMEOUT_MS = 30_000;

/** Throws ConfigError. The file of --authorization-config is read again when it changes. */
export function createAuthorizers(config: GatesConfig): Authorizers {
  const { options, storageOf, log } = config;
  const index = new RbacIndex();
  const onError = (error: unknown) => log.error("Following what authorizers decide by", error);
  const informers = followRbac(index, storageOf, onError);
  const graph = followNodeGraph(storageOf, onError);
  const build = () => chainOf(config, index, () => graph.graph());
  let current = build();
  const path = options.flags["authorization-config"];
  const stop = path === "" ? () => {} : watchFiles([path], () => reload());
  const reload = () => {
    try {
      const next = build();
      current.close();
      current = next;
      log.info("The authorization configuration has been read again");
    } catch (error) {
      log.error(
        "The changed authorization configuration can not be used; the old one stays",
        error,
      );
    }
  };
  return {
    authorizer: {
      name: "union",
      authorize: (attributes) => current.authorizer.authorize(attributes),
    },
    resolver: { rulesFor: (user, namespace) => current.resolver.rulesFor(user, namespace) },
    rbac: index,
    modes: current.modes,
    synced: informers.synced,
    close: () => {
      stop();
      informers.close();
      graph.close();
      current.close();
    },
  };
}

/** All authorizers in force, as one. */
function chainOf(config: GatesConfig, index: RbacIndex, graph: () => Promise<NodeGraph>) {
  const configured = configuredAuthorizers(config);
  const modes = configured.map((one) => makeMode(one, config, index, graph));
  return {
    authorizer: unionAuthorizer([privilegedGroups, ...modes.map(({ authorizer }) => authorizer)]),
    resolver: unionRuleResolver(modes.map(({ resolver }) => resolver)),
    modes: configured.map(({ type }) => type),
    close: () => {
      for (const mode of modes) mode.close?.();
    },
  };
}

function makeMode(
  one: ConfiguredAuthorizer,
  config: GatesConfig,
  index: RbacIndex,
  graph: () => Promise<NodeGraph>,
): Mode {
  switch (one.type) {
    case "AlwaysAllow":
      return { authorizer: alwaysAllow, resolver: everythingResolver };
    case "AlwaysDeny":
      return { authorizer: alwaysDeny, resolver: nothingResolver };
    case "RBAC":
      return both(rbacAuthorizer(index));
    case "Node":
      return both(nodeAuthorizer(graph, nodeRules()));
    case "ABAC":
      return both(abacOf(config));
    case "Webhook":
      return webhookMode(one);
  }
}

const both = (one: Authorizer & RuleResolver): Mode => ({ authorizer: one, resolver: one });

/** The file's authorizers, else the flags' ones in the same form. */
function configuredAuthorizers({ options }: GatesConfig): readonly ConfiguredAuthorizer[] {
  const { flags, authorizationModes } = options;
  const path = flags["authorization-config"];
  if (path !== "") {
    const text = readConfigFile("--authorization-config", path);
    try {
      return parseAuthorizationConfig(text);
    } catch (error) {
      if (!(error instanceof AuthorizationConfigError)) throw error;
      throw new ConfigError(`--authorization-config: ${path}: ${error.message}`);
    }
  }
  const webhook: WebhookSettings = {
    kubeconfig: flags["authorization-webhook-config-file"],
    version: flags["authorization-webhook-version"],
    authorizedTtlMs: flags["authorization-webhook-cache-authorized-ttl"],
    unauthorizedTtlMs: flags["authorization-webhook-cache-unauthorized-ttl"],
    timeoutMs: TIMEOUT_MS,
    onFailure: "NoOpinion",
    matchConditions: [],
  };
  return authorizationModes.map((mode) => {
    const type = mode as ConfiguredAuthorizer["type"]; // checked when the flags were parsed
    return { type, name: mode, webhook: type === "Webhook" ? webhook : undefined };
  });
}

function webhookMode({ name, webhook }: ConfiguredAuthorizer): Mode {
  if (webhook === undefined) throw new ConfigError(`authorizer ${name} has no webhook`);
  const connection = loadWebhookConfig(`authorizer ${name}`, webhook.kubeconfig);
  const { timeoutMs } = webhook;
  const client = new WebhookClient(connection, { timeoutMs, retry: retriesFrom(BACKOFF_MS) });
  const authorizer = webhookAuthorizer({ ...webhook, name, client });
  return { authorizer, resolver: authorizer, close: () => client.close() };
}

function abacOf({ options }: GatesConfig): Authorizer & RuleResolver {
  const path = options.flags["authorization-policy-file"];
  const text = readConfigFile("--authorization-policy-file", path);
  try {
    return abacAuthorizer(parseAbacPolicies(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--authorization-policy-file: ${path}: ${why}`);
  }
}
