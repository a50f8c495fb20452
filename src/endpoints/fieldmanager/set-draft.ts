/** Building one level of a set of fields, for sets that most likely are known already. */
import { FieldSet, INTERNED_KEY_MAX, LEAF, type SetNode } from "./field-set.ts";

/** A level of a set in the making; its key grows along, so that a known set needs no map. */
export class SetDraft {
  /** As FieldSet makes it of entries. */
  #key = "";
  #isKeyed = true;
  /** What every element begins with that `add` leaves out. */
  readonly #prefix: string;
  readonly #elements: string[] = [];
  readonly #nodes: SetNode[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Adds an element that is not there yet. */
  add(element: string, node: SetNode): void {
    this.#elements.push(element);
    this.#nodes.push(node);
    if (!this.#isKeyed) return;
    const prefix = this.#prefix;
    const { member, children } = node;
    const id = children === undefined ? 0 : FieldSet.idOf(children);
    const length = prefix.length + element.length;
    this.#key += `${length}:${prefix}${element}${member ? "+" : "-"}${id},`;
    this.#isKeyed = (children === undefined || id !== 0) && this.#key.length <= INTERNED_KEY_MAX;
  }

  /** The set, made only where no equal one is known. The draft is then spent. */
  build(): FieldSet {
    const known = this.#isKeyed ? FieldSet.known(this.#key) : undefined;
    if (known !== undefined) return known;
    const entries = new Map<string, SetNode>();
    for (let i = 0; i < this.#elements.length; i++) {
      entries.set(`${this.#prefix}${this.#elements[i]}`, this.#nodes[i] ?? LEAF);
    }
    return this.#isKeyed ? FieldSet.internedOf(entries) : FieldSet.of(entries);
  }
}
