/** Requests as a front would make them. */
import { HeaderFields, IncomingRequest } from "../../src/server/incoming-request.ts";

export function request(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): IncomingRequest {
  const fields = new HeaderFields();
  for (const [name, value] of Object.entries(headers)) fields.add(name, value);
  return new IncomingRequest({
    method,
    target,
    headers: fields,
    connection: { remoteAddress: "127.0.0.1:1", certificate: undefined, identity: undefined },
    body: undefined,
    selectors: undefined,
  });
}
