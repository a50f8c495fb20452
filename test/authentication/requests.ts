/** Requests with headers and certificates, as a front would make them. */
import { HeaderFields, IncomingRequest } from "../../src/server/incoming-request.ts";

export type Headers = readonly (readonly [string, string])[];

export function requestWith(
  headers: Headers = [],
  options: { method?: string; target?: string; certificate?: string } = {},
): IncomingRequest {
  const fields = new HeaderFields();
  for (const [name, value] of headers) fields.add(name.toLowerCase(), value);
  return new IncomingRequest({
    method: options.method ?? "GET",
    target: options.target ?? "/api/v1/pods",
    headers: fields,
    connection: {
      remoteAddress: "192.0.2.9:4711",
      certificate: options.certificate,
      identity: undefined,
    },
    body: undefined,
    selectors: undefined,
  });
}
