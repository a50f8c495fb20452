/**
 * The pool of threads for computations of half a millisecond and more: handing one over costs 25 to
 * 60 microseconds. A task is a module of its own, `<name>.task.ts`, whose export `run` takes and
 * returns plain data. This file imports no task: callers name them by where they are.
 *
 * The threads start with the first task and end when idle. Bound: QUEUE_MAX tasks wait, then run()
 * rejects with PoolFull, which a request answers with 503.
 */
import { availableParallelism } from "node:os";
import type { TransferListItem } from "node:worker_threads";
import type { Piscina } from "piscina";

const QUEUE_MAX = 1_024;
const IDLE_MS = 30_000;

export class PoolFull extends Error {
  override readonly name = "PoolFull";
}

export interface Task<Input, Output> {
  readonly url: URL;
  /** Only to carry the types. */
  readonly signature?: (input: Input) => Output;
}
export interface RunOptions {
  /** Ends the task's thread when it aborts while the task runs. */
  readonly signal?: AbortSignal;
  /** Moved, not copied. */
  readonly transferList?: readonly TransferListItem[];
}

/**
 * The task `<name>.task` beside the caller's file: `defineTask<In, Out>(import.meta.url, "verify")`.
 * In a bundle the task's own bundle lies beside the caller's.
 */
export function defineTask<Input, Output>(callerUrl: string, name: string): Task<Input, Output> {
  const extension = callerUrl.endsWith(".ts") ? ".ts" : ".cjs";
  return { url: new URL(`./${name}.task${extension}`, callerUrl) };
}

let pool: Promise<Piscina> | undefined;
let threadsMax = availableParallelism();

/** --worker-threads. Before the first task. */
export function configurePool(threads: number): void {
  threadsMax = threads;
}

async function start(): Promise<Piscina> {
  const { Piscina } = await import("piscina"); // 20 ms that a start-up need not pay
  return new Piscina({
    minThreads: 0,
    maxThreads: threadsMax,
    idleTimeout: IDLE_MS,
    maxQueue: QUEUE_MAX,
  });
}

/** Runs the task on a pool thread. Rejects with what it throws, with PoolFull, or when aborted. */
export async function run<Input, Output>(
  task: Task<Input, Output>,
  input: Input,
  options: RunOptions = {},
): Promise<Output> {
  pool ??= start();
  const piscina = await pool;
  const filename = task.url.href;
  try {
    const runOptions = {
      filename,
      name: "run",
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.transferList === undefined ? {} : { transferList: [...options.transferList] }),
    };
    return (await piscina.run(input, runOptions)) as Output; // the task's module made it
  } catch (error) {
    if (error instanceof Error && /queue is at limit/i.test(error.message)) {
      throw new PoolFull("too many computations are waiting", { cause: error });
    }
    throw error;
  }
}

/** Tasks under way finish; waiting ones are refused. */
export async function closePool(): Promise<void> {
  const closing = pool;
  pool = undefined;
  await (await closing)?.close();
}
