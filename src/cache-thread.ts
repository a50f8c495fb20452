/** The cache thread's entry, beside the other threads' entries. */
import "./storage/cacher/cache-thread.ts";
