import * as sky from "skyward";

/** Can be iterated asynchronously, and is a value all the same. */
export class Countdown {
  readonly from: number;
  constructor(from: number) {
    this.from = from;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    for (let i = this.from; i > 0; i--) yield i;
  }
}
sky.register(Countdown);
