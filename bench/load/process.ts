/** What the operating system says of a process: its CPU time and its memory. Linux only. */
import { readdirSync, readFileSync } from "node:fs";

const TICK_MS = 10; // USER_HZ is 100 on every Linux that Node runs on

/** CPU milliseconds (user + system) that a process has used, its ended threads included. */
export function cpuMs(pid: number): number {
  const fields = statFields(`/proc/${pid}/stat`);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** CPU milliseconds by living thread, most first: which thread a load falls on. */
export function cpuByThread(pid: number): { readonly id: number; readonly ms: number }[] {
  return readdirSync(`/proc/${pid}/task`)
    .map((id) => {
      const fields = statFields(`/proc/${pid}/task/${id}/stat`);
      return { id: Number(id), ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
    })
    .sort((a, b) => b.ms - a.ms);
}

/** The fields after the program's name, which may hold blanks; index 0 is field 3 of proc(5). */
function statFields(path: string): string[] {
  const text = readFileSync(path, "latin1");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

export interface Memory {
  /** Bytes resident, pages of mapped files (the embedded store) included. */
  readonly rss: number;
  /** Bytes resident that no file backs: heaps, caches, stacks. */
  readonly anonymous: number;
  /** The most that was ever resident. */
  readonly peak: number;
}

export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return {
    rss: kilobytes(rollup, "Rss"),
    anonymous: kilobytes(rollup, "Anonymous"),
    peak: kilobytes(status, "VmHWM"),
  };
}

/** Bytes the kernel holds for sockets and its own tables, of the whole machine. */
export function kernelBytes(): number {
  const pages = /^TCP: .* mem (\d+)$/m.exec(readFileSync("/proc/net/sockstat", "latin1"));
  return (
    Number(pages?.[1] ?? 0) * 4096 + kilobytes(readFileSync("/proc/meminfo", "latin1"), "Slab")
  );
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
}

export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
