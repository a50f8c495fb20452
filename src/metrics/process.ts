/** process_*, go_*-free: what the operating system knows of this process. */
import { readdirSync, readFileSync } from "node:fs";
import type { MetricRegistry } from "./registry.ts";

/** Registers on one thread's registry only: they are the whole process's. */
export function registerProcessMetrics(registry: MetricRegistry): void {
  const gauge = (name: string, help: string) => registry.gauge({ name, help, stability: "ALPHA" });
  const cpu = registry.counter({
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
  });
  const resident = gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  const virtual = gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
  const start = gauge("process_start_time_seconds", "Start time since unix epoch in seconds.");
  const descriptors = gauge("process_open_fds", "Number of open file descriptors.");
  const descriptorsMax = gauge("process_max_fds", "Maximum number of open file descriptors.");
  descriptorsMax.set(limitOf("Max open files"));
  const virtualMax = gauge(
    "process_virtual_memory_max_bytes",
    "Maximum amount of virtual memory available in bytes.",
  );
  virtualMax.set(limitOf("Max address space"));
  const heap = gauge("nodejs_heap_size_used_bytes", "V8 heap in use by the scraped thread.");
  const startedAt = Date.now() / 1000 - process.uptime();
  let cpuSeconds = 0;
  registry.onCollect(() => {
    const { user, system } = process.cpuUsage();
    const now = (user + system) / 1e6;
    cpu.add(now - cpuSeconds);
    cpuSeconds = now;
    resident.set(process.memoryUsage.rss());
    start.set(startedAt);
    heap.set(process.memoryUsage().heapUsed);
    const pages = Number(readProc("/proc/self/statm").split(" ")[0] ?? 0);
    virtual.set(pages * 4096);
    try {
      descriptors.set(readdirSync("/proc/self/fd").length);
    } catch {
      // No /proc: the gauge stays away.
    }
  });
}

/** A soft limit out of /proc; none is 2^64, as Go's collector shows it. */
function limitOf(name: string): number {
  const line = readProc("/proc/self/limits")
    .split("\n")
    .find((one) => one.startsWith(name));
  const soft = line?.slice(name.length).trim().split(/\s+/)[0] ?? "unlimited";
  return soft === "unlimited" ? 2 ** 64 : Number(soft);
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
