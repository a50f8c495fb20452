import { test } from "node:test";
import { loadUws } from "../../src/native/uws.ts";
import { createUwsFront } from "../../src/server/front-uws.ts";
import { frontContract } from "./front-contract.ts";

try {
  loadUws();
  frontContract("uws", (serve) => createUwsFront({ serve }));
} catch (error) {
  test("uws", { skip: `does not load here: ${String(error)}` }, () => {});
}
