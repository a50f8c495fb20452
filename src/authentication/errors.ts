/** Why nobody could say who sent a request. The client learns only `Unauthorized`. */
export class AuthenticationErrors extends Error {
  override readonly name = "AuthenticationErrors";
  constructor(errors: readonly unknown[]) {
    const texts = errors.map((error) => (error instanceof Error ? error.message : String(error)));
    const distinct = [...new Set(texts)];
    super(distinct.length === 1 ? distinct[0] : `[${distinct.join(", ")}]`);
  }
}
