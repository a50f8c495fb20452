/** The process that the robustness test kills: writes, and says on stdout what was acknowledged. */
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import { asRevision, asStorageKey } from "../../src/storage/interfaces.ts";

const store = await openEmbeddedStore({ directory: process.argv[2] ?? "" });

function say(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(line, () => resolve()));
}

async function writer(id: number): Promise<never> {
  for (let i = 0; ; i++) {
    const key = `/w${id}/${i % 50}`;
    const { kvs } = await store.range({ start: key, end: `${key}\0` });
    const expected = kvs[0]?.modRevision ?? asRevision(0);
    const text = `${id}-${i}-${process.pid}`.padEnd(20, ".");
    const value = Buffer.concat([Buffer.from(text), Buffer.alloc((i * 37) % 3000, 120)]);
    const result = await store.cas({ key: asStorageKey(key), expected, value });
    if (result.ok) await say(`${result.revision} ${key}=${text}\n`);
  }
}
for (let id = 0; id < 32; id++) void writer(id);
