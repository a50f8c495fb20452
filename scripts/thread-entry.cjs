// A thread's entry in dist/, as scripts/build.mjs fills it in: runs the thread's script from the
// compiled form V8 once made of it, where that form is there and V8 still takes it; from the text
// otherwise, which takes longer. KLYSTRON_COMPILE=1 makes the form when the thread ends.
const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

// The native part of msgpackr serves large records only, and takes longer to find than to use.
process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED ??= "true";

const file = join(__dirname, "SCRIPT.cjs");
const compiled = join(__dirname, "SCRIPT.compiled");
const wanted = process.env.KLYSTRON_COMPILE === "1";

function read(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined; // not compiled
  }
}

const cachedData = wanted ? undefined : read(compiled);
// The bundler writes ASCII, as one function of a module's five names.
const script = new Script(readFileSync(file, "latin1"), {
  filename: file,
  ...(cachedData === undefined ? {} : { cachedData }),
});
if (wanted) {
  process.once("exit", () => {
    const partial = `${compiled}.${process.pid}.partial`;
    writeFileSync(partial, script.createCachedData());
    renameSync(partial, compiled);
  });
}
script.runInThisContext()(module.exports, require, module, file, __dirname);
