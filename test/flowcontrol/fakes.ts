import type { AuthenticatedRequest, BytesResponse, Response } from "../../src/request/request.ts";
import type { RequestInfo } from "../../src/request/request-info.ts";
import type { UserInfo } from "../../src/request/user-info.ts";

export const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: "",
  groups: [...groups, "system:authenticated"],
  extra: {},
});

export const info = (verb: string, resource: string, of: Partial<RequestInfo> = {}) =>
  ({
    isResourceRequest: true,
    path: `/api/v1/${resource}`,
    verb,
    apiPrefix: "api",
    apiGroup: "",
    apiVersion: "v1",
    namespace: "default",
    resource,
    subresource: "",
    name: "",
    parts: [resource],
    ...of,
  }) satisfies RequestInfo;

export const path = (of: string, verb = "get") =>
  info(verb, "", { isResourceRequest: false, path: of, namespace: "", apiVersion: "" });

export function requestOf(of: RequestInfo, by: UserInfo, signal = new AbortController().signal) {
  return { info: of, user: by, signal } as unknown as AuthenticatedRequest;
}

export const ok: BytesResponse = { kind: "bytes", status: 200, headers: [], body: "" };

/** Handlers that end when told to. */
export class Gate {
  started = 0;
  readonly #ends: ((response: Response) => void)[] = [];
  readonly next = (): Promise<Response> => {
    this.started++;
    return new Promise((resolve) => this.#ends.push(resolve));
  };
  endOne(response: Response = ok): void {
    this.#ends.shift()?.(response);
  }
}

export const settled = () => new Promise((resolve) => setImmediate(resolve));
