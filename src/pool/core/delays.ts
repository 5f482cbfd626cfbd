/** Things that become due: the earliest first. A binary heap, so that waiting costs no timer each. */
export class Delays<T> {
  readonly #heap: { readonly at: number; readonly item: T }[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the earliest is due. */
  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  add(at: number, item: T): void {
    const heap = this.#heap;
    let place = heap.push({ at, item }) - 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (heap[parent]!.at <= heap[place]!.at) break;
      this.#swap(place, parent);
      place = parent;
    }
  }

  /** Takes out all that are due. */
  take(now: number): T[] {
    const due: T[] = [];
    while (this.#heap.length > 0 && this.#heap[0]!.at <= now) due.push(this.#pop());
    return due;
  }

  #pop(): T {
    const heap = this.#heap;
    const { item } = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return item;
    heap[0] = last;
    for (let place = 0; ;) {
      const left = 2 * place + 1;
      let least = place;
      if (left < heap.length && heap[left]!.at < heap[least]!.at) least = left;
      if (left + 1 < heap.length && heap[left + 1]!.at < heap[least]!.at) least = left + 1;
      if (least === place) return item;
      this.#swap(place, least);
      place = least;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const kept = heap[a]!;
    heap[a] = heap[b]!;
    heap[b] = kept;
  }
}
