/**
 * The variables of expressions about a request, and the request as webhooks and expressions see it.
 * Upstream: apiserver/pkg/admission/plugin/cel/activation.go, condition.go;
 * webhook/request/admissionreview.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { NAMESPACE_TYPE, REQUEST_TYPE } from "../../apis/admissionregistration/cel-environment.ts";
import type { Activation } from "../../apis/cel/frame.ts";
import {
  type AskAuthorizer,
  authorizerValue,
  requestResourceValue,
} from "../../apis/cel/library/authorizer.ts";
import { DYN } from "../../apis/cel/types.ts";
import type { CelValue } from "../../apis/cel/values.ts";
import { wrapJson } from "../../apis/cel/wrap.ts";
import type { UserInfo } from "../../request/user-info.ts";
import type { DeepReadonly, MayUser } from "../plugin.ts";
import type { Request } from "./rules.ts";
import type { VersionedKind, Versions } from "./versions.ts";

/** A request seen in one version; conversions are made when first asked for. */
export class VersionedRequest {
  readonly request: Request;
  readonly target: VersionedKind;
  readonly #versions: Versions;
  #object: KubeObject | null | undefined;
  #oldObject: KubeObject | null | undefined;
  constructor(request: Request, target: VersionedKind, versions: Versions) {
    this.request = request;
    this.target = target;
    this.#versions = versions;
  }

  /** Null where there is none, as for a deletion. */
  get object(): KubeObject | null {
    const { operation, object } = this.request;
    if (this.#object === undefined) {
      this.#object = operation === "DELETE" ? null : this.#convert(object);
    }
    return this.#object;
  }

  get oldObject(): KubeObject | null {
    const { oldObject } = this.request;
    if (this.#oldObject === undefined) {
      this.#oldObject = oldObject === undefined ? null : this.#convert(oldObject);
    }
    return this.#oldObject;
  }

  #convert(object: DeepReadonly<KubeObject>): KubeObject {
    return this.#versions.convert(object, this.target, this.request.subresource);
  }

  /** `request` of an AdmissionReview, without the objects. */
  describe(): Record<string, unknown> {
    const { request, target } = this;
    const { kind, resource, subresource, name, namespace, operation, dryRun, options } = request;
    const { user } = request;
    return {
      kind: target.kind,
      resource: target.resource,
      ...(subresource === "" ? {} : { subResource: subresource }),
      requestKind: kind,
      requestResource: resource,
      ...(subresource === "" ? {} : { requestSubResource: subresource }),
      ...(name === "" ? {} : { name }),
      ...(namespace === "" ? {} : { namespace }),
      operation,
      userInfo: userOf(user),
      dryRun,
      options: isEmpty(options) ? null : options,
    };
  }
}

function isEmpty(options: DeepReadonly<KubeObject>): boolean {
  return Object.keys(options).length === 0;
}

function userOf({ name, uid, groups, extra }: DeepReadonly<UserInfo>): Record<string, unknown> {
  return {
    ...(name === "" ? {} : { username: name }),
    ...(uid === "" ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** What there is besides the request and its objects. */
export interface Surroundings {
  readonly params: KubeObject | null;
  readonly namespaceObject: KubeObject | null;
  /** Undefined where expressions may not ask. */
  readonly authorizer: CelValue | undefined;
}

/** The variables that expressions of `compileExpression` name; each is wrapped once. */
export function activationOf(of: VersionedRequest, around: Surroundings): Activation {
  const known = new Map<string, CelValue | undefined>();
  const make = (name: string): CelValue | undefined => {
    switch (name) {
      case "object":
        return wrapJson(of.object, DYN);
      case "oldObject":
        return wrapJson(of.oldObject, DYN);
      case "request":
        return wrapJson(requestVariable(of), REQUEST_TYPE);
      case "params":
        return wrapJson(around.params, DYN);
      case "namespaceObject":
        return wrapJson(around.namespaceObject, NAMESPACE_TYPE);
      case "authorizer":
        return around.authorizer;
      case "authorizer.requestResource":
        return around.authorizer && requestResourceValue(around.authorizer, resourceOf(of));
      default:
        return undefined;
    }
  };
  return (name) => {
    if (!known.has(name)) known.set(name, make(name));
    return known.get(name);
  };
}

/** The variable has no objects of its own, and its lists and maps are there though empty. */
function requestVariable(of: VersionedRequest): Record<string, unknown> {
  const described = of.describe();
  const { name, namespace } = of.request;
  return { ...described, name, ...(namespace === "" ? {} : { namespace }) };
}

function resourceOf({ request }: VersionedRequest) {
  const { resource, subresource, namespace, name } = request;
  return { group: resource.group, resource: resource.resource, subresource, namespace, name };
}

/** The server's authorizer as expressions ask it, for the request's user or an account. */
export function authorizerOf(mayUser: MayUser, user: DeepReadonly<UserInfo>): CelValue {
  const ask: AskAuthorizer = async ({ serviceAccount, ...question }) => {
    try {
      const asked = serviceAccount === undefined ? (user as UserInfo) : accountUser(serviceAccount);
      const { allowed, reason } = await mayUser({ ...question, user: asked });
      return { allowed, reason, error: undefined };
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      return { allowed: false, reason: "", error };
    }
  };
  return authorizerValue(ask);
}

function accountUser(account: { readonly namespace: string; readonly name: string }): UserInfo {
  const { namespace, name } = account;
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid: "",
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
    extra: {},
  };
}
