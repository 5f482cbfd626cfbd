/** One entry of Chrome's Trace Event Format. `ts` and `dur` are microseconds; `pid` and `tid` name rows. */
export type TraceEntry =
  /** A name, or the place, of a process or thread. */
  | {
      readonly ph: "M";
      readonly name: "process_name" | "thread_name" | "process_sort_index" | "thread_sort_index";
      readonly pid: number;
      readonly tid: number;
      readonly args: Readonly<Record<string, string | number>>;
    }
  /** Something that took a time. */
  | {
      readonly ph: "X";
      readonly name: string;
      readonly cat: string;
      readonly ts: number;
      readonly dur: number;
      readonly pid: number;
      readonly tid: number;
      readonly args: Readonly<Record<string, unknown>>;
    }
  /** A moment; `s`: how far its line reaches. */
  | {
      readonly ph: "i";
      readonly name: string;
      readonly cat: string;
      readonly ts: number;
      readonly pid: number;
      readonly tid: number;
      readonly s: "t" | "p" | "g";
      readonly args: Readonly<Record<string, unknown>>;
    }
  /** Numbers that go on until the next. */
  | {
      readonly ph: "C";
      readonly name: string;
      readonly ts: number;
      readonly pid: number;
      readonly tid: number;
      readonly args: Readonly<Record<string, number>>;
    };
