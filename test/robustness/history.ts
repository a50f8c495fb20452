/** What clients did and saw during a run, and one validator a promise. No I/O here. */
import assert from "node:assert/strict";

export interface WriteRecord {
  readonly key: string;
  /** Undefined: a deletion. Values are unique within a run. */
  readonly value: string | undefined;
  /** The mod revision it was guarded by; 0: absence. */
  readonly expected: number;
  /** Milliseconds of the run. */
  readonly start: number;
  end: number;
  /** ok: acknowledged. failed: certainly not done. unknown: may have been done. */
  outcome: "ok" | "failed" | "unknown";
  revision: number;
}
export interface ReadRecord {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  /** What was there: its mod revision (0: nothing) and value. */
  readonly mod: number;
  readonly value: string | undefined;
}
export interface SeenEvent {
  readonly revision: number;
  readonly key: string;
  readonly value: string | undefined;
  readonly create: number;
}
export interface History {
  readonly writes: WriteRecord[];
  readonly reads: ReadRecord[];
  /** What each watcher saw, in the order it saw it. The first one saw everything. */
  readonly watches: {
    readonly name: string;
    readonly after: number;
    readonly events: SeenEvent[];
  }[];
}

/** Acknowledged writes have revisions of their own. */
export function validateUnique({ writes }: History): void {
  const seen = new Map<number, WriteRecord>();
  for (const write of writes) {
    if (write.outcome !== "ok") continue;
    const other = seen.get(write.revision);
    assert.equal(other, undefined, `revision ${write.revision} twice: ${write.key}, ${other?.key}`);
    seen.set(write.revision, write);
  }
}

/** Revisions follow real time: what ended before another began has the smaller one. */
export function validateRealTime({ writes }: History): void {
  const done = writes.filter((w) => w.outcome === "ok").sort((a, b) => a.end - b.end);
  const starts = [...done].sort((a, b) => a.start - b.start);
  let ended = 0;
  let highest = 0;
  for (const write of starts) {
    for (let before = done[ended]; before && before.end < write.start; before = done[++ended]) {
      highest = Math.max(highest, before.revision);
    }
    assert.ok(
      write.revision > highest,
      `revision ${write.revision} after ${highest} had been seen`,
    );
  }
}

/** Ordered: a watcher's revisions only grow. Nothing comes twice. */
export function validateOrdered({ watches }: History): void {
  for (const { name, after, events } of watches) {
    let last = after;
    for (const event of events) {
      assert.ok(event.revision > last, `${name}: ${event.revision} after ${last}`);
      last = event.revision;
    }
  }
}

/** Reliable: every acknowledged write is an event with its value; no event comes from nowhere. */
export function validateReliable(history: History): void {
  const all = reference(history);
  const byRevision = new Map(all.map((event) => [event.revision, event]));
  for (const write of history.writes) {
    if (write.outcome !== "ok") continue;
    const event = byRevision.get(write.revision);
    assert.ok(event !== undefined, `lost: ${write.key} at ${write.revision}`);
    assert.deepEqual([event.key, event.value], [write.key, write.value]);
  }
  const attempted = new Set(
    history.writes.filter((w) => w.outcome !== "failed").map((w) => `${w.key}=${w.value}`),
  );
  for (const event of all) {
    assert.ok(attempted.has(`${event.key}=${event.value}`), `from nowhere: ${event.key}`);
  }
}

/** Atomic: each event's write was guarded by the revision that really stood there. */
export function validateAtomic(history: History): void {
  const guards = new Map<string, number[]>();
  for (const write of history.writes) {
    const id = `${write.key}=${write.value}`;
    guards.set(id, [...(guards.get(id) ?? []), write.expected]);
  }
  const standing = new Map<string, number>();
  for (const event of reference(history)) {
    const before = standing.get(event.key) ?? 0;
    const expected = guards.get(`${event.key}=${event.value}`) ?? [];
    assert.ok(
      expected.includes(before),
      `${event.key} at ${event.revision} guarded by ${expected}, stood ${before}`,
    );
    if (event.value === undefined) standing.delete(event.key);
    else standing.set(event.key, event.revision);
    if (event.value !== undefined && before === 0) assert.equal(event.create, event.revision);
  }
}

/** Resumable and complete: every watcher saw all events of its span, none less. */
export function validateComplete(history: History): void {
  const all = reference(history);
  for (const { name, after, events } of history.watches.slice(1)) {
    const last = events[events.length - 1]?.revision ?? after;
    const span = all.filter((e) => e.revision > after && e.revision <= last);
    assert.deepEqual(
      events.map((e) => e.revision),
      span.map((e) => e.revision),
      `${name} has gaps`,
    );
  }
}

/** Linearizable reads: a read shows a state that stood at some time between its start and end. */
export function validateReads(history: History): void {
  const perKey = new Map<string, SeenEvent[]>();
  for (const event of reference(history)) {
    const list = perKey.get(event.key);
    if (list === undefined) perKey.set(event.key, [event]);
    else list.push(event);
  }
  const byRevision = new Map<number, WriteRecord>();
  for (const write of history.writes) {
    if (write.outcome === "ok") byRevision.set(write.revision, write);
  }
  for (const read of history.reads) {
    const events = perKey.get(read.key) ?? [];
    const shown = events.findIndex((e) => e.revision === read.mod);
    if (read.mod !== 0) {
      assert.ok(shown >= 0, `read of ${read.key} shows revision ${read.mod}, which is no event`);
      assert.equal(events[shown]?.value, read.value);
      const writer = byRevision.get(read.mod);
      assert.ok((writer?.start ?? 0) <= read.end, `read of ${read.key} from the future`);
      assertNotOverwritten(read, events.slice(shown + 1), byRevision);
    } else {
      // Nothing there: some deletion, or the time before the first write, overlaps the read.
      const gaps = [-1, ...events.flatMap((e, i) => (e.value === undefined ? [i] : []))];
      const fits = gaps.some((gap) => {
        const next = events[gap + 1];
        const writer = next && byRevision.get(next.revision);
        return writer === undefined || writer.end >= read.start;
      });
      assert.ok(fits, `read of ${read.key} shows nothing, wrongly`);
    }
  }
}

/** The next write after the shown state had not been acknowledged before the read began. */
function assertNotOverwritten(
  read: ReadRecord,
  later: readonly SeenEvent[],
  byRevision: ReadonlyMap<number, WriteRecord>,
): void {
  for (const event of later) {
    const writer = byRevision.get(event.revision);
    if (writer === undefined) continue;
    assert.ok(
      writer.end >= read.start,
      `stale read of ${read.key}: ${read.mod} though ${event.revision} was acknowledged before`,
    );
    return;
  }
}

function reference(history: History): readonly SeenEvent[] {
  const first = history.watches[0];
  assert.ok(first !== undefined, "no reference watch");
  return first.events;
}

export const validators = [
  validateUnique,
  validateRealTime,
  validateOrdered,
  validateReliable,
  validateAtomic,
  validateComplete,
  validateReads,
] as const;
