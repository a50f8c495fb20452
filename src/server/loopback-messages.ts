/** What the in-server controllers' thread and the thread that serves them say. Plain data only. */

export interface LoopbackRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
}

export type ToLoopback =
  | ({ readonly kind: "request"; readonly id: number } & LoopbackRequest)
  /** So many more characters of a watch have been taken. */
  | { readonly kind: "taken"; readonly id: number; readonly length: number }
  | { readonly kind: "abort"; readonly id: number };

export type FromLoopback =
  /** Comes first, once for each request. */
  | { readonly kind: "head"; readonly id: number; readonly status: number }
  | { readonly kind: "text"; readonly id: number; readonly text: string }
  /** Comes last, once for each request. */
  | { readonly kind: "end"; readonly id: number; readonly error: string | undefined }
  /** Head, text and end of a short answer. */
  | {
      readonly kind: "whole";
      readonly id: number;
      readonly status: number;
      readonly text: string;
    };
