/** The results of one record, as they arrived. */
export class Arrived {
  readonly results: { readonly index: number; readonly parts: readonly Uint8Array[] }[] = [];
  readonly #offset: number;

  /** `offset`: the place of the record's first task in its segment. */
  constructor(offset: number) {
    this.#offset = offset;
  }

  add = (item: number, parts: readonly Uint8Array[]): void =>
    void this.results.push({ index: this.#offset + item, parts });
}
