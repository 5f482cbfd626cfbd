import type { Scope } from "eslint-scope";
import { childrenOf, type Node } from "./parser.ts";

/** What of a module runs once, when the module is evaluated: functions and loops apart. */
export class TopLevel {
  readonly #ast: Node;
  readonly #wrapper: Node | undefined;
  readonly #scopes = new WeakMap<Scope, boolean>();

  /** `wrapper` is the function that a test runner puts around the module. */
  constructor(ast: Node, wrapper: Node | undefined) {
    this.#ast = ast;
    this.#wrapper = wrapper;
  }

  /** The nodes around `node`, the outermost first. */
  around(node: Node): Node[] {
    const found: Node[] = [];
    for (let at: Node | undefined = this.#ast; at !== undefined && at !== node;) {
      found.push(at);
      let next: Node | undefined;
      for (const child of childrenOf(at)) if (child.start <= node.start && child.end >= node.end) next = child;
      at = next;
    }
    return found;
  }

  has(node: Node): boolean {
    const around = this.around(node);
    return !around.some(
      (item, index) => /^(For|While|DoWhile)/.test(item.type) || this.#isInner(item, around[index - 1]),
    );
  }

  /** Whether the position is outside of every function, so that a frame there is the module's own. */
  hasPosition(offset: number): boolean {
    let parent: Node | undefined;
    for (let at: Node | undefined = this.#ast; at !== undefined;) {
      if (this.#isInner(at, parent)) return false;
      let next: Node | undefined;
      for (const child of childrenOf(at)) if (child.start <= offset && child.end > offset) next = child;
      parent = at;
      at = next;
    }
    return true;
  }

  /** Whether the scope is entered once: the module's, and that of a function which runs where it stands. */
  isScope(scope: Scope): boolean {
    let known = this.#scopes.get(scope);
    if (known === undefined) {
      known = this.#isScope(scope.block as unknown as Node);
      this.#scopes.set(scope, known);
    }
    return known;
  }

  #isScope(block: Node): boolean {
    if (block === this.#ast || block === this.#wrapper) return true;
    const parent = this.around(block).at(-1);
    // The block that vitest puts inside its wrapper.
    if (block.type === "BlockStatement") return parent !== undefined && parent === this.#wrapper?.["body"];
    return /Function/.test(block.type) && !this.#isInner(block, parent) && this.has(block);
  }

  /** A function or class, unless it is what a test runner put there, or runs at once: `(() => { ... })()`. */
  #isInner(node: Node, parent: Node | undefined): boolean {
    if (!/Function|^Class/.test(node.type) || node === this.#wrapper) return false;
    return parent?.type !== "CallExpression" || parent["callee"] !== node;
  }
}
