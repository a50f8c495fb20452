/**
 * The audit gate: makes a request's events as it goes through the chain.
 * Upstream: apiserver/pkg/endpoints/filters/{audit,authn_audit}.go.
 */
import { internalError, unauthorized } from "../apimachinery/api/errors.ts";
import { formatDuration } from "../apimachinery/runtime/duration.ts";
import type { AuthenticatedRequest, ReceivedRequest, Response } from "../request/request.ts";
import type { AuditBackend } from "./backend.ts";
import { BodyRecorder } from "./bodies.ts";
import type { AuditEvent, ResponseStatus } from "./event.ts";
import { auditEvents, auditLevels, auditRejections } from "./metrics.ts";
import { evaluatePolicy, type Policy, type PolicyDecision, type Stage } from "./policy.ts";

const SLOW_MS = 500;

/** One request under audit. Made by Auditor.begin(). */
export interface AuditSession {
  /** Takes note of the answer; call it once, with what is about to be written. */
  responded(response: Response): void | Promise<void>;
}

export interface Auditor {
  /** After authentication; undefined when the policy leaves the request out. Throws 500 (strict). */
  begin(request: AuthenticatedRequest): Promise<AuditSession | undefined>;
  /** Instead of begin() for a request that nobody could be named for. */
  unauthenticated(request: ReceivedRequest): Promise<void>;
  close(): Promise<void>;
}

export function createAuditor(policy: Policy, backend: AuditBackend): Auditor {
  const decide = (request: ReceivedRequest & Partial<AuthenticatedRequest>) => {
    const { info, user } = request;
    const attributes = { ...info, user, resourceRequest: info.isResourceRequest };
    const decision = evaluatePolicy(policy, attributes);
    auditLevels.inc(decision.level);
    return decision;
  };
  return {
    async begin(request) {
      const decision = decide(request);
      if (decision.level === "None") return undefined;
      const session = new Session(request, decision, backend);
      const recorded = await session.record("RequestReceived", undefined);
      if (!recorded && backend.strict) {
        auditRejections.inc();
        throw internalError("failed to store audit event");
      }
      return session;
    },
    async unauthenticated(request) {
      const decision = decide(request);
      if (decision.level === "None") return;
      const session = new Session(request, decision, backend);
      const { code } = unauthorized();
      await session.record("ResponseStarted", { message: attempted(request), code });
    },
    close: () => backend.close(),
  };
}

class Session implements AuditSession {
  readonly #request: ReceivedRequest & Partial<AuthenticatedRequest>;
  readonly #decision: PolicyDecision;
  readonly #backend: AuditBackend;
  readonly #bodies: BodyRecorder;

  constructor(
    request: ReceivedRequest & Partial<AuthenticatedRequest>,
    decision: PolicyDecision,
    backend: AuditBackend,
  ) {
    this.#request = request;
    this.#decision = decision;
    this.#backend = backend;
    this.#bodies = new BodyRecorder(request, decision);
  }

  /** False when the event could not be stored. */
  async record(stage: Stage, responseStatus: ResponseStatus | undefined): Promise<boolean> {
    const { level, omitStages } = this.#decision;
    if (omitStages.has(stage)) return true;
    const isComplete = stage === "ResponseComplete";
    const isArrival = stage === "RequestReceived";
    const event: AuditEvent = {
      level,
      stage,
      request: this.#request,
      names: isArrival ? {} : this.#bodies.names(),
      responseStatus,
      requestObject: isArrival ? undefined : this.#bodies.requestObject(),
      responseObject: isComplete ? this.#bodies.responseObject() : undefined,
      stageAt: new Date(),
      annotations: isArrival ? new Map() : this.#request.auditAnnotations,
    };
    auditEvents.inc();
    return this.#backend.process(event);
  }

  responded(response: Response): Promise<void> | void {
    const status = this.#bodies.responseStatusOf(response);
    if (response.kind === "bytes") {
      this.#bodies.recordBytes(response);
      this.#annotateLatency();
      return this.record("ResponseComplete", status).then(() => {});
    }
    if (response.kind === "upgrade") {
      return this.record("ResponseStarted", status).then(() => {
        void this.record("ResponseComplete", status);
      });
    }
    const isWatch = response.kind === "watch";
    if (response.kind === "stream") this.#bodies.recordStream(response);
    // The front closes every response exactly once, however it ended.
    const close = response.close;
    response.close = () => {
      close.call(response);
      if (!isWatch) this.#annotateLatency();
      void this.record("ResponseComplete", status);
    };
    return isWatch ? this.record("ResponseStarted", status).then(() => {}) : undefined;
  }

  #annotateLatency(): void {
    const elapsedMs = Date.now() - this.#request.receivedAt.getTime();
    if (elapsedMs <= SLOW_MS) return;
    const total = formatDuration(BigInt(elapsedMs) * 1_000_000n);
    this.#request.auditAnnotations.set("apiserver.latency.k8s.io/total", total);
  }
}

/** Which credentials were there; never their contents. */
function attempted(request: ReceivedRequest): string {
  const methods: string[] = [];
  const header = (request.headers.get("authorization") ?? "").trim();
  const [scheme = "", rest = ""] = header.split(" ");
  if (scheme.toLowerCase() === "basic" && rest !== "") methods.push("basic");
  if (scheme.toLowerCase() === "bearer" && rest !== "") methods.push("bearer");
  if ((request.query.get("access_token") ?? "").trim() !== "") methods.push("access_token");
  if (request.connection.certificate !== undefined) methods.push("x509");
  if (methods.length === 0) return "Authentication failed, no credentials provided";
  return `Authentication failed, attempted: ${methods.join(", ")}`;
}
