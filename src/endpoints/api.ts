/** One front thread's API: the served resources behind the chain of gates. */
import { AdmissionChain } from "../admission/chain.ts";
import type { AdmissionPlugin } from "../admission/plugin.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { TokenAuthenticator } from "../authentication/authenticator.ts";
import type { Authorizer, RuleResolver } from "../authorization/authorizer.ts";
import type { FlowControl } from "../flowcontrol/flow-control.ts";
import type { ServedResources } from "../registry/install.ts";
import type { KubeletClient } from "../request/outgoing/kubelet-client.ts";
import type { ReceivedRequest, Response } from "../request/request.ts";
import type { ApiContext, ApiSettings, TokenIssuer } from "./api-context.ts";
import { type ChainConfig, handlerChain } from "./handler-chain.ts";
import { type DynamicResources, type PathRoutes, Routes } from "./routes.ts";

export interface ApiDependencies {
  readonly served: ServedResources;
  readonly settings: ApiSettings;
  readonly admission: readonly AdmissionPlugin[];
  readonly authenticate: ChainConfig["authenticate"];
  readonly impersonate: ChainConfig["impersonate"];
  readonly authorizer: Authorizer;
  readonly ruleResolver?: RuleResolver;
  readonly tokenAuthenticator?: TokenAuthenticator;
  readonly tokenIssuer?: TokenIssuer;
  readonly apiAudiences: readonly string[];
  readonly kubelet?: KubeletClient;
  readonly storeHealth: ApiContext["storeHealth"];
  /** Discovery, OpenAPI, health, metrics, version: everything that is no resource. */
  readonly paths: PathRoutes;
  readonly dynamic?: DynamicResources;
  readonly flowControl?: FlowControl;
  readonly audit?: Auditor;
  readonly observe?: NonNullable<ChainConfig["observe"]>;
  readonly onError?: NonNullable<ChainConfig["onError"]>;
  readonly now?: () => Date;
}

export interface Api {
  serve(request: ReceivedRequest): Promise<Response>;
}

export function createApi(dependencies: ApiDependencies): Api {
  const { served, settings, admission, authorizer, paths } = dependencies;
  const context: ApiContext = {
    settings,
    admission: new AdmissionChain(admission),
    authorizer,
    ruleResolver: dependencies.ruleResolver,
    tokenAuthenticator: dependencies.tokenAuthenticator,
    tokenIssuer: dependencies.tokenIssuer,
    apiAudiences: dependencies.apiAudiences,
    kubelet: dependencies.kubelet,
    storeHealth: dependencies.storeHealth,
    resourceOf: (group, resource) => served.find(group, resource),
    now: dependencies.now ?? (() => new Date()),
  };
  const routes = new Routes(served, context, paths, dependencies.dynamic);
  const serve = handlerChain({
    authenticate: dependencies.authenticate,
    impersonate: dependencies.impersonate,
    authorizer,
    routes,
    ...(dependencies.flowControl === undefined ? {} : { flowControl: dependencies.flowControl }),
    ...(dependencies.audit === undefined ? {} : { audit: dependencies.audit }),
    ...(dependencies.observe === undefined ? {} : { observe: dependencies.observe }),
    ...(dependencies.onError === undefined ? {} : { onError: dependencies.onError }),
  });
  return { serve };
}
