/** What the console needs of a stream: `process.stderr`, or one in memory. */
export interface ConsoleStream {
  write(text: string): unknown;
  on?(event: "error", listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal. @default 80 */
  readonly columns?: number;
  /** Height of the terminal. @default 24 */
  readonly rows?: number;
}
