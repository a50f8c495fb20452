/** Messages that expressions make: `Object{...}`. Upstream: apiserver/pkg/cel/mutation. */
import { type CelType, receiverType } from "./types.ts";
import { CelMap, type CelValue } from "./values.ts";

/** A message an expression made. */
export class CelMessage extends CelMap {
  readonly name: string;
  readonly fields: ReadonlyMap<string, CelValue>;
  constructor(name: string, fields: ReadonlyMap<string, CelValue>) {
    super();
    this.name = name;
    this.fields = fields;
  }
  override get type(): CelType {
    return receiverType(this.name);
  }
  get size(): number {
    return this.fields.size;
  }
  get(key: CelValue): CelValue | undefined {
    return typeof key === "string" ? this.fields.get(key) : undefined;
  }
  keys(): Iterable<CelValue> {
    return this.fields.keys();
  }
}
