/** What the pinned uWebSockets.js build has beyond its own index.d.ts. */
import type {} from "uWebSockets.js";

declare module "uWebSockets.js" {
  interface TemplatedApp {
    /** A number that stands for this app in another thread's addChildAppDescriptor. */
    getDescriptor(): number;
    /** Hands accepted connections to that app as well, in turn. */
    addChildAppDescriptor(descriptor: number): TemplatedApp;
    /** Must come before that app closes: a dead child crashes the process at the next accept. */
    removeChildAppDescriptor(descriptor: number): TemplatedApp;
    /** Serves a connection that was accepted elsewhere; owns the descriptor from here on. */
    adoptSocket(fd: number): TemplatedApp;
    /** Seconds without a request, or within a body, before a connection closes; 0: never. */
    setIdleTimeout(seconds: number): TemplatedApp;
    /** Seconds a kept-alive connection may wait for its next request; 0: never. */
    setResponseTimeout(seconds: number): TemplatedApp;
  }
  interface HttpResponse {
    /** The client's leaf certificate as PEM, "" without one. 3-10 us; once per connection. */
    getX509Certificate(): string;
  }
  export function _cfg(option: "silent"): void;
}
