/**
 * Why a body cannot become an object. The message is what upstream's decoders say; the handlers wrap
 * it ("Pod in version \"v1\" cannot be handled as a Pod: ...").
 */
export class DecodeError extends Error {
  /** `syntax`: not JSON, YAML or protobuf at all. `type`: a value that does not fit its field. */
  readonly reason: "syntax" | "type";
  /** Go's UnmarshalTypeError, whose context an outer decoder replaces by its own. */
  readonly mismatch?: { readonly value: string; readonly typeName: string };

  constructor(
    reason: "syntax" | "type",
    message: string,
    mismatch?: { readonly value: string; readonly typeName: string },
  ) {
    super(message);
    this.name = "DecodeError";
    this.reason = reason;
    if (mismatch !== undefined) this.mismatch = mismatch;
  }
}
