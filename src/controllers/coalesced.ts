/** Work that any number of changes ask for and that looks at everything when it runs. */

const SETTLE_MS = 50;
const RETRY_MS = 5_000;

export interface CoalescedOptions {
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/**
 * Returns a function that makes `work` run soon: once for many calls, never twice at a time, again
 * after what it was called for while it ran, and later when it fails.
 */
export function coalesced(work: () => Promise<void>, options: CoalescedOptions): () => void {
  const { signal, onError } = options;
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let isAskedFor = false;
  const schedule = (delayMs: number) => {
    if (isRunning) isAskedFor = true;
    if (isRunning || timer !== undefined || signal.aborted) return;
    timer = setTimeout(run, delayMs);
    timer.unref();
  };
  const run = async () => {
    timer = undefined;
    if (signal.aborted) return;
    isRunning = true;
    isAskedFor = false;
    let delayMs = SETTLE_MS;
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) onError(error);
      isAskedFor = true;
      delayMs = RETRY_MS;
    }
    isRunning = false;
    if (isAskedFor) schedule(delayMs);
  };
  return () => schedule(SETTLE_MS);
}
