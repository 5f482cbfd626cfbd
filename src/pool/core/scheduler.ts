import { Queue } from "./queue.ts";
import { type Range, RangeSet } from "./ranges.ts";
import { waiting } from "./waiting.ts";

/** Work that a node holds beyond what it runs, so that no slot waits for a round trip. */
const AHEAD_MS = 12;
/** Longer tasks are never sent ahead: another node may be free sooner. */
const AHEAD_LIMIT_MS = 1000;
/** What a task of a group that has not finished one yet is reckoned at. */
const UNKNOWN_MS = 100;
/** Items of one assignment; a chunk's claim word holds 16 bits. */
const ASSIGN_MAX = 32_768;

export interface Assignment extends Range {
  readonly rank: number;
}

export interface Revocation {
  readonly rank: number;
  /** Tasks wanted back, unstarted ones only. */
  readonly count: number;
}

interface NodeState {
  readonly rank: number;
  readonly slots: number;
  readonly running: RangeSet;
  roundTripMs: number;
  inFlight: number;
  backlogMs: number;
  revoking: boolean;
  /** Runs a suspect, or is kept free for one: nothing else may start there. */
  alone: boolean;
  /** Groups whose code is not in place there. */
  held: Set<number> | undefined;
}

/**
 * Who runs what. Pure: it holds ids and counts only, and each call leads to the same answers on every run.
 * The shell feeds it what happened and carries out what `assign` and `revoke` return.
 */
export class Scheduler {
  /** Tasks that a node may hold beyond its slots. @default as its tasks' times ask for */
  buffer: number | undefined;
  readonly #nodes = new Map<number, NodeState>();
  readonly #queues = new Map<number, Queue>();
  /** Queues that hold tasks, in turn. */
  #turn: Queue[] = [];
  /** Measured mean time of one task, ms, by group. */
  readonly #itemMs = new Map<number, number>();
  /** The nodes by rank, and how many of them have a free slot. */
  readonly #order: NodeState[] = [];
  #free = 0;
  #lastRank = -1;
  /** Tasks that must run alone, queued or running. */
  #suspects = 0;
  /** Nodes may be marked as kept for them. */
  #kept = false;
  #queued = 0;

  get queued(): number {
    return this.#queued;
  }

  get inFlight(): number {
    let sum = 0;
    for (const node of this.#nodes.values()) sum += node.inFlight;
    return sum;
  }

  /** Tasks on each node, by rank. */
  loads(): number[] {
    const loads: number[] = [];
    for (const node of this.#order) {
      while (loads.length < node.rank) loads.push(0);
      loads.push(node.inFlight);
    }
    return loads;
  }

  openQueue(id: number, target = -1, ahead = true): void {
    this.#queues.set(id, new Queue(id, target, ahead));
  }

  /** Forgets an empty queue; ranges of it that still run keep their number and reopen it if they return. */
  closeQueue(id: number): void {
    if (this.#queues.get(id)?.size === 0) this.#queues.delete(id);
  }

  enqueue(queue: number, group: number, first: number, count: number): void {
    this.#into(queue, (to) => to.push({ queue, group, first, count, attempt: 1, avoid: -1 }), count);
  }

  /** Puts tasks that a node lost or gave back, or that are to be tried again, in front of their queue. */
  retry(range: Range, attempt: number, avoid: number, alone = false): void {
    if (alone) this.#suspects += range.count;
    this.#into(range.queue, (to) => to.unshift({ ...range, attempt, avoid, alone }), range.count);
  }

  nodeUp(rank: number, slots: number, roundTripMs: number): void {
    const node: NodeState = {
      rank,
      slots,
      running: new RangeSet(),
      roundTripMs,
      inFlight: 0,
      backlogMs: 0,
      revoking: false,
      alone: false,
      held: undefined,
    };
    this.#nodes.set(rank, node);
    this.#order.push(node);
    this.#order.sort((a, b) => a.rank - b.rank);
    this.#free++;
  }

  /** Gives the node no tasks of a group, or gives it some again. */
  hold(rank: number, group: number, held: boolean): void {
    const node = this.#nodes.get(rank);
    if (!node) return;
    if (held) (node.held ??= new Set()).add(group);
    else if (node.held?.delete(group) && node.held.size === 0) node.held = undefined;
  }

  roundTrip(rank: number, ms: number): void {
    const node = this.#nodes.get(rank);
    if (node) node.roundTripMs = ms;
  }

  /** The node is gone: what it had, in order. */
  nodeDown(rank: number): Range[] {
    const node = this.#nodes.get(rank);
    if (!node) return [];
    this.#nodes.delete(rank);
    this.#order.splice(this.#order.indexOf(node), 1);
    if (node.inFlight < node.slots) this.#free--;
    for (const range of node.running.ranges) this.#cleared(range);
    return [...node.running.ranges];
  }

  /** `count` tasks from `first` ended on `rank`; pieces that it did not have are ignored. */
  ended(rank: number, first: number, count: number): Range[] {
    const node = this.#nodes.get(rank);
    return node ? this.#take(node, first, count) : [];
  }

  /** The node has answered a revocation. */
  revoked(rank: number): void {
    const node = this.#nodes.get(rank);
    if (node) node.revoking = false;
  }

  /** A group's mean time changes what can be sent ahead; backlogs already counted keep their weight. */
  measured(group: number, itemMs: number): void {
    const before = this.#itemMs.get(group);
    this.#itemMs.set(group, itemMs);
    for (const node of this.#nodes.values()) {
      let backlog = 0;
      for (const range of node.running.ranges) backlog += range.count * this.#weight(range.group);
      if (before !== itemMs) node.backlogMs = backlog;
    }
  }

  /** Takes queued tasks out; what is already on a node is returned with its rank. */
  cancel(queue: number, first: number, count: number): { queued: Range[]; running: Assignment[] } {
    const from = this.#queues.get(queue);
    const queued = from?.remove(first, count) ?? [];
    for (const range of queued) {
      this.#queued -= range.count;
      this.#cleared(range);
    }
    const running: Assignment[] = [];
    for (const node of this.#nodes.values()) {
      for (const range of node.running.ranges) {
        const start = Math.max(range.first, first);
        const end = Math.min(range.first + range.count, first + count);
        if (start < end) running.push({ ...range, first: start, count: end - start, rank: node.rank });
      }
    }
    return { queued, running };
  }

  /** Everything that can start, or be sent ahead, now. */
  assign(): Assignment[] {
    const out: Assignment[] = [];
    this.#keepFree();
    let stuck = 0;
    while (this.#turn.length > 0 && stuck < this.#turn.length) {
      const queue = this.#turn.shift()!;
      if (queue.size === 0) continue;
      const given = this.#give(queue);
      if (given) {
        out.push(given);
        stuck = 0;
      } else stuck++;
      if (queue.size > 0) this.#turn.push(queue);
    }
    return out;
  }

  /** What loaded nodes should give back, because others are idle and nothing is queued. */
  revoke(): Revocation[] {
    // Tasks that wait for one node are nothing that a free other one could take.
    if (this.#nodes.size < 2 || this.#turn.some((queue) => queue.size > 0 && queue.target < 0)) return [];
    let free = 0;
    for (const node of this.#nodes.values()) free += Math.max(0, node.slots - node.inFlight);
    const out: Revocation[] = [];
    if (free === 0) return out;
    for (const node of this.#nodes.values()) {
      const ahead = node.inFlight - node.slots;
      const perSlotMs = node.backlogMs / node.slots;
      if (ahead <= 0 || node.revoking || perSlotMs <= 2 * node.roundTripMs + 2) continue;
      // What may run nowhere else would come straight back.
      if (node.running.ranges.some((range) => (this.#queues.get(range.queue)?.target ?? -1) >= 0)) continue;
      node.revoking = true;
      out.push({ rank: node.rank, count: Math.min(ahead, Math.max(free, Math.ceil(ahead / 2))) });
    }
    return out;
  }

  /** Tasks worth having at hand: those that run and about as many again. */
  window(): number {
    let slots = 0;
    for (const node of this.#nodes.values()) slots += node.slots;
    return Math.max(2, 2 * slots, Math.min(1024, 2 * this.inFlight));
  }

  /** How many tasks the node was given before this one and still has: from `slots` on a task has not started. */
  position(rank: number, id: number): { before: number; slots: number } {
    const node = this.#nodes.get(rank);
    let before = 0;
    for (const range of node?.running.ranges ?? []) before += Math.max(0, Math.min(range.count, id - range.first));
    return { before, slots: node?.slots ?? 0 };
  }

  /** Why tasks wait, in words; undefined when none does. */
  explain(): string | undefined {
    if (this.#queued === 0) return undefined;
    if (this.#nodes.size === 0) return `${waiting(this.#queued)}: no node is ready`;
    for (const queue of this.#turn) {
      if (queue.size > 0 && queue.target >= 0 && !this.#nodes.has(queue.target))
        return `${waiting(queue.size)} for node ${queue.target}, which is not ready`;
      const { group } = queue.head ?? { group: -1 };
      if ([...this.#nodes.values()].some((node) => node.held?.has(group) && node.inFlight < node.slots))
        return `${waiting(queue.size)}: a node with free slots has not installed the packages yet`;
    }
    return `${waiting(this.#queued)}: all slots are taken`;
  }

  #into(id: number, put: (queue: Queue) => void, count: number): void {
    let queue = this.#queues.get(id);
    if (!queue) this.#queues.set(id, (queue = new Queue(id, -1, true)));
    if (queue.size === 0 && !this.#turn.includes(queue)) this.#turn.push(queue);
    put(queue);
    this.#queued += count;
  }

  #give(queue: Queue): Assignment | undefined {
    const head = queue.head!;
    const best = queue.target >= 0 ? this.#nodes.get(queue.target) : this.#best(queue, head);
    const room = best ? this.#roomFor(queue, best, head.group) : 0;
    if (!best || room <= 0) return undefined;
    // Others that wait get their part of the room, and other nodes their part of this queue.
    const fair = Math.max(1, Math.floor(room / (this.#turn.length + 1)));
    const share = queue.target >= 0 ? queue.size : Math.ceil(queue.size / Math.max(1, this.#free));
    const range = queue.take(head.alone ? 1 : Math.min(fair, share, ASSIGN_MAX));
    this.#queued -= range.count;
    if (range.alone) best.alone = true;
    this.#load(best, range.count, this.#weight(range.group));
    this.#lastRank = best.rank;
    best.running.add({ ...range });
    return { ...range, rank: best.rank };
  }

  /** The least loaded node with room; an idle one that is next in turn can't be bettered. */
  #best(queue: Queue, head: Range): NodeState | undefined {
    const order = this.#order;
    let best: NodeState | undefined;
    const start = this.#after(this.#lastRank);
    for (let i = 0; i < order.length; i++) {
      const node = order[(start + i) % order.length]!;
      if (this.#roomFor(queue, node, head.group) <= 0) continue;
      if (node.inFlight === 0 && node.rank !== head.avoid) return node;
      if (!best || this.#before(node, best, head.avoid)) best = node;
    }
    return best;
  }

  #roomFor(queue: Queue, node: NodeState, group: number): number {
    if (queue.head?.alone) return node.inFlight === 0 && !node.held?.has(group) ? 1 : 0;
    if (node.alone || node.held?.has(group)) return 0;
    return queue.ahead ? this.#room(node, group) : node.slots - node.inFlight;
  }

  /** Suspects wait for an empty node: one is kept from filling up for each that waits, the emptiest first. */
  #keepFree(): void {
    if (this.#suspects === 0 && !this.#kept) return;
    this.#kept = this.#suspects > 0;
    for (const node of this.#nodes.values()) node.alone = node.running.ranges.some((range) => range.alone);
    for (const queue of this.#turn) {
      if (!queue.head?.alone) continue;
      const nodes = [...this.#nodes.values()].filter(
        (node) => !node.alone && (queue.target < 0 || queue.target === node.rank),
      );
      if (nodes.length > 0) nodes.reduce((best, node) => (node.inFlight < best.inFlight ? node : best)).alone = true;
    }
  }

  #cleared(range: Range): void {
    if (range.alone) this.#suspects -= range.count;
  }

  #load(node: NodeState, count: number, weight: number): void {
    const free = node.inFlight < node.slots;
    node.inFlight += count;
    node.backlogMs += count * weight;
    if (node.inFlight === 0) node.backlogMs = 0;
    const freeNow = node.inFlight < node.slots;
    if (free !== freeNow) this.#free += freeNow ? 1 : -1;
  }

  /** Position of the first rank above `rank`. */
  #after(rank: number): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order[middle]!.rank <= rank) low = middle + 1;
      else high = middle;
    }
    return low === this.#order.length ? 0 : low;
  }

  /** How many more tasks of a group the node may hold. */
  #room(node: NodeState, group: number): number {
    const free = node.slots - node.inFlight;
    if (this.buffer !== undefined) return free + this.buffer;
    const itemMs = this.#itemMs.get(group);
    const double = 2 * node.slots - node.inFlight;
    const left = (node.roundTripMs + AHEAD_MS) * node.slots - node.backlogMs;
    // One task of which nothing is known may go beside many that are known to be short.
    if (itemMs === undefined) return Math.max(free, double, left > 0 ? 1 : 0);
    if (itemMs > AHEAD_LIMIT_MS) return free;
    return Math.max(free, double, Math.floor(left / itemMs));
  }

  #weight(group: number): number {
    return this.#itemMs.get(group) ?? UNKNOWN_MS;
  }

  /** Free slots first, then the smaller backlog; of equals the one that is met first, which is the next in turn. */
  #before(a: NodeState, b: NodeState, avoid: number): boolean {
    if ((a.rank === avoid) !== (b.rank === avoid)) return b.rank === avoid;
    const freeA = a.inFlight < a.slots;
    const freeB = b.inFlight < b.slots;
    if (freeA !== freeB) return freeA;
    const loadA = a.backlogMs / a.slots;
    const loadB = b.backlogMs / b.slots;
    return loadA < loadB;
  }

  #take(node: NodeState, first: number, count: number): Range[] {
    const pieces = node.running.remove(first, count);
    for (const piece of pieces) {
      this.#load(node, -piece.count, this.#weight(piece.group));
      this.#cleared(piece);
    }
    return pieces;
  }
}
