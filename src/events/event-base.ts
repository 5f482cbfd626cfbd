/** What every event carries. */
export interface EventBase {
  /** Name of the pool that it happened in. */
  readonly pool: string;
  /** Milliseconds since the epoch, by the controller's clock. */
  readonly at: number;
}
