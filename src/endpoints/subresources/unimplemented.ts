/** What is planned and not served yet says so; docs/COMPATIBILITY.md lists every one. */
import { notImplemented } from "../../apimachinery/api/errors.ts";
import type { Handler } from "../../request/request.ts";

export function unimplemented(what: string): Handler {
  return () => {
    throw notImplemented(what);
  };
}
