/** `--audit-webhook-config-file`: batches as EventLists. Upstream: plugin/pkg/audit/webhook. */
import type { WebhookClient } from "../request/outgoing/webhook-client.ts";
import type { AuditSink } from "./backend.ts";

export function webhookSink(client: WebhookClient, bytesMax: number | undefined): AuditSink {
  const head = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[`;
  return {
    async write(lines) {
      for (const part of split(lines, bytesMax)) await client.post(`${head}${part.join(",")}]}`);
    },
    close: () => client.close(),
  };
}

/** Parts of at most `bytesMax` bytes each; an event alone may be larger. */
function split(lines: readonly string[], bytesMax: number | undefined): readonly string[][] {
  if (bytesMax === undefined) return [[...lines]];
  const parts: string[][] = [[]];
  let size = 0;
  for (const line of lines) {
    const bytes = Buffer.byteLength(line);
    if (size > 0 && size + bytes > bytesMax) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(line);
    size += bytes;
  }
  return parts;
}
