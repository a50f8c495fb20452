/** The authorizers of `--authorization-mode`, in its order. */
import { abacAuthorizer, parseAbacPolicies } from "./authorization/abac.ts";
import type { Authorizer, RuleResolver } from "./authorization/authorizer.ts";
import {
  alwaysAllow,
  alwaysDeny,
  everythingResolver,
  nothingResolver,
  privilegedGroups,
} from "./authorization/builtin.ts";
import { followNodeGraph } from "./authorization/node/follow.ts";
import { nodeAuthorizer } from "./authorization/node/node.ts";
import { RbacIndex } from "./authorization/rbac/index.ts";
import { followRbac } from "./authorization/rbac/informers.ts";
import { rbacAuthorizer } from "./authorization/rbac/rbac.ts";
import { unionAuthorizer, unionRuleResolver } from "./authorization/union.ts";
import type { GatesConfig } from "./gates-config.ts";
import { nodeRules } from "./registry/rbac/bootstrap.ts";
import type { RoleRules } from "./registry/rbac/escalation.ts";
import { ConfigError, readConfigFile } from "./settings.ts";

export interface Authorizers {
  readonly authorizer: Authorizer;
  readonly resolver: RuleResolver;
  /** For escalation checks, whatever the modes are. */
  readonly rbac: RoleRules;
  readonly synced: Promise<void>;
  close(): void;
}

type Mode = Authorizer & Partial<RuleResolver>;

export async function createAuthorizers(
  config: GatesConfig,
  gate: (name: string) => boolean,
): Promise<Authorizers> {
  const { options, storageOf, log } = config;
  const index = new RbacIndex();
  const onError = (error: unknown) => log.error("Following RBAC objects", error);
  const informers = followRbac(index, storageOf, onError);
  const modes: { readonly authorizer: Authorizer; readonly resolver?: RuleResolver }[] = [];
  void gate;
  const graph = followNodeGraph(storageOf, onError);
  for (const mode of options.authorizationModes) {
    if (mode === "Node") {
      const node = nodeAuthorizer(() => graph.graph(), nodeRules());
      modes.push({ authorizer: node, resolver: node });
    } else {
      modes.push(await makeMode(mode, config, index));
    }
  }
  const resolvers = modes.map(({ resolver }) => resolver).filter((one) => one !== undefined);
  return {
    authorizer: unionAuthorizer([privilegedGroups, ...modes.map(({ authorizer }) => authorizer)]),
    resolver: unionRuleResolver(resolvers),
    rbac: index,
    synced: informers.synced,
    close: () => {
      informers.close();
      graph.close();
    },
  };
}

async function makeMode(
  mode: string,
  config: GatesConfig,
  index: RbacIndex,
): Promise<{ readonly authorizer: Authorizer; readonly resolver?: RuleResolver }> {
  switch (mode) {
    case "AlwaysAllow":
      return { authorizer: alwaysAllow, resolver: everythingResolver };
    case "AlwaysDeny":
      return { authorizer: alwaysDeny, resolver: nothingResolver };
    case "RBAC": {
      const rbac = rbacAuthorizer(index);
      return { authorizer: rbac, resolver: rbac };
    }
    case "ABAC": {
      const abac = abacOf(config);
      return { authorizer: abac, resolver: abac };
    }
    default:
      throw new ConfigError(`--authorization-mode ${mode} is not there yet`);
  }
}

function abacOf({ options }: GatesConfig): Mode & RuleResolver {
  const path = options.flags["authorization-policy-file"];
  const text = readConfigFile("--authorization-policy-file", path);
  try {
    return abacAuthorizer(parseAbacPolicies(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--authorization-policy-file: ${path}: ${why}`);
  }
}
