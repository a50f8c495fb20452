/**
 * The gates of a request, in order: upstream's DefaultBuildHandlerChain, read top to bottom instead
 * of inside out. The only catch on a request's path is here.
 */
import { StatusError, toStatus, unauthorized } from "../apimachinery/api/errors.ts";
import type { Auditor, AuditSession } from "../audit/auditor.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { markAuthorized } from "../authorization/gate.ts";
import type { FlowControl } from "../flowcontrol/flow-control.ts";
import type { AuthenticatedRequest, ReceivedRequest, Response } from "../request/request.ts";
import { respondStatus } from "./respond.ts";
import type { Routes } from "./routes.ts";

export interface ChainConfig {
  /** Who asks; undefined when nobody may. Throws Unauthorized for a bad credential. */
  readonly authenticate: (
    request: ReceivedRequest,
  ) => AuthenticatedRequest | undefined | Promise<AuthenticatedRequest | undefined>;
  /** Takes on the identity that the client asks for, after checking that it may. */
  readonly impersonate: (
    request: AuthenticatedRequest,
  ) => Promise<AuthenticatedRequest> | AuthenticatedRequest;
  /** Undefined: any number of requests runs at a time. */
  readonly flowControl?: FlowControl;
  readonly authorizer: Authorizer;
  readonly routes: Routes;
  /** Undefined: nothing is audited. */
  readonly audit?: Auditor;
  /** Told of every request's end: audit, metrics. */
  readonly observe?: (request: ReceivedRequest, response: Response) => void;
  readonly onError?: (request: ReceivedRequest, error: unknown) => void;
}

export function handlerChain(config: ChainConfig) {
  const { authenticate, impersonate, authorizer, routes, audit, flowControl } = config;
  const handle = async (request: AuthenticatedRequest): Promise<Response> => {
    const authorized = await markAuthorized(authorizer, request);
    return routes.lookup(authorized)(authorized);
  };
  return async (received: ReceivedRequest): Promise<Response> => {
    let response: Response;
    let session: AuditSession | undefined;
    try {
      const authenticated = await authenticate(received);
      if (authenticated === undefined) {
        await audit?.unauthenticated(received);
        throw unauthorized();
      }
      if (audit !== undefined) session = await audit.begin(authenticated);
      const asUser = await impersonate(authenticated);
      response = await (flowControl === undefined
        ? handle(asUser)
        : flowControl.run(asUser, handle));
    } catch (thrown) {
      if (!(thrown instanceof StatusError)) config.onError?.(received, thrown);
      response = respondStatus(received, toStatus(thrown));
    }
    if (session !== undefined) await session.responded(response);
    config.observe?.(received, response);
    return response;
  };
}
