/** The same promises without the pump, over res.write. */
process.env["KLYSTRON_PUMP"] = "off";
await import("./pump.test.ts");

export type {};
