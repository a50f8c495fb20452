/**
 * Why a body cannot become an object. The message is what upstream's decoders say; the handlers wrap
 * it ("Pod in version \"v1\" cannot be handled as a Pod: ...").
 */
export class DecodeError extends Error {
  /** `syntax`: not JSON, YAML or protobuf at all. `type`: a value that does not fit its field. */
  readonly reason: "syntax" | "type";

  constructor(reason: "syntax" | "type", message: string) {
    super(message);
    this.name = "DecodeError";
    this.reason = reason;
  }
}
