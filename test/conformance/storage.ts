/**
 * The promises of Storage: what get, list, watch and the writes mean at every revision. Every
 * implementation runs it: the JavaScript cache and the native cache, over each backend.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { KvBackend, Storage, StorageConfig } from "../../src/storage/interfaces.ts";
import { freshConfig } from "./objects.ts";
import { testReads } from "./storage-reads.ts";
import { testWatches } from "./storage-watches.ts";
import { testWrites } from "./storage-writes.ts";

export interface StorageUnderTest {
  /** The same backend that the storage writes to, or another client of it. */
  readonly backend: KvBackend;
  for(config: StorageConfig): Storage;
  close(): Promise<void>;
}
/** A storage of a resource of its own, and the backend below. */
export type Fresh = (more?: Partial<StorageConfig>) => {
  readonly storage: Storage;
  readonly backend: KvBackend;
};

export function testStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`storage: ${name}`, () => {
    let under: StorageUnderTest;
    before(async () => {
      under = await open();
    });
    after(() => under.close());
    const fresh: Fresh = (more) => ({
      storage: under.for(freshConfig(more)),
      backend: under.backend,
    });
    testWrites(fresh);
    testReads(fresh);
    testWatches(fresh);
    it("gives the same storage for the same config", () => {
      const config = freshConfig();
      assert.equal(under.for(config), under.for(config));
    });
  });
}
