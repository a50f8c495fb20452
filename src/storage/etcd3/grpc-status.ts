/** gRPC's status of a call, and what it means to the storage layer. */
import { StorageError } from "../errors.ts";

/** google.rpc.Code, those that are named here. */
export const GrpcCode = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** `sent` false: the server can not have seen the call, so even a write may be repeated. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: number;
  readonly sent: boolean;
  constructor(code: number, message: string, sent = true) {
    super(message);
    this.code = code;
    this.sent = sent;
  }

  /** Google's name of the code: `Unavailable`. */
  get codeName(): string {
    return CODE_NAMES[this.code] ?? `Code(${this.code})`;
  }

  /** As grpc-go prints a status. */
  get text(): string {
    return `rpc error: code = ${this.codeName} desc = ${this.message}`;
  }
}

const CODE_NAMES: readonly string[] = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

/** The frame's five bytes before a message. */
export const FRAME_HEADER = 5;

/** Fills in the header of a frame whose message starts at FRAME_HEADER. */
export function frame(bytes: Buffer): Buffer {
  bytes[0] = 0;
  bytes.writeUInt32BE(bytes.length - FRAME_HEADER, 1);
  return bytes;
}

/** grpc-message is percent-encoded. */
export function decodeGrpcMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether the token has to be renewed: nothing of the call was done. */
export function wantsNewToken(error: GrpcError): boolean {
  return (
    error.code === GrpcCode.unauthenticated || /invalid auth (token|revision)/.test(error.message)
  );
}

/** Whether the member that answered is cut off from the cluster. */
export function hasNoLeader(error: GrpcError): boolean {
  return error.message.includes("no leader");
}

/** `asked` is the revision the call was about, for errors about revisions. */
export function toStorageError(error: unknown, write: boolean, asked = 0): StorageError {
  if (error instanceof StorageError) return error;
  if (!(error instanceof GrpcError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new StorageError({ code: "Refused", message: `etcd: ${message}` }, { cause: error });
  }
  const { code, message } = error;
  const options = { cause: error };
  if (code === GrpcCode.outOfRange) {
    if (message.includes("compacted")) {
      return new StorageError({ code: "Compacted", oldest: asked + 1 }, options);
    }
    return new StorageError({ code: "FutureRevision", asked, current: 0 }, options);
  }
  if (message.includes("request is too large") || /message larger than max/.test(message)) {
    const text = code === GrpcCode.resourceExhausted ? error.text : message;
    return new StorageError({ code: "TooLarge", message: text }, options);
  }
  if (code === GrpcCode.deadlineExceeded || code === GrpcCode.canceled) {
    return new StorageError({ code: "Timeout", message }, options);
  }
  if (code === GrpcCode.unavailable || code === GrpcCode.internal) {
    // A write that was sent may have been applied: its outcome is unknown.
    const unknown = write && error.sent;
    return new StorageError({ code: unknown ? "Timeout" : "Unreachable", message }, options);
  }
  return new StorageError({ code: "Refused", message }, options);
}
