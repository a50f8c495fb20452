/** Prints failures in full, a dot line of progress, and last `counts PASSED FAILED SKIPPED`. */
// biome-ignore lint/style/noDefaultExport: Node asks for it.
export default async function* reporter(source) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const perFile = new Map();
  for await (const { type, data } of source) {
    if (type === "test:pass" || type === "test:fail") {
      if (data.details?.type === "suite") continue;
      const isFile = data.file === undefined || data.name === data.file;
      // A file without a failing test of its own that still fails crashed.
      if (isFile && type === "test:pass") continue;
      if (data.skip !== undefined || data.todo !== undefined) counts.skipped += 1;
      else if (type === "test:pass") counts.passed += 1;
      else counts.failed += 1;
      perFile.set(data.file, (perFile.get(data.file) ?? 0) + 1);
      if (type === "test:fail" && data.todo === undefined) yield failure(data);
      const done = counts.passed + counts.failed + counts.skipped;
      if (done % 500 === 0) yield `   ... ${done} tests\n`;
    } else if (type === "test:stderr") {
      yield `   | ${data.message.trimEnd().split("\n").join("\n   | ")}\n`;
    }
  }
  yield `counts ${counts.passed} ${counts.failed} ${counts.skipped}\n`;
}

function failure({ name, file, line, details }) {
  const error = details?.error;
  const cause = error?.cause ?? error;
  const text = cause?.stack ?? cause?.message ?? String(cause);
  return `   FAIL ${name}\n        ${file}:${line}\n        ${text.split("\n").join("\n        ")}\n`;
}
