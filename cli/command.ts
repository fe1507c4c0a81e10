/** What every command of the CLI looks like: words in, exit code out. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  /** The data directory, absolute. */
  readonly data: string;
}
export type Run = (args: readonly string[], terminal: Terminal) => Promise<number>;

/** A row of the table of commands. */
export interface Command {
  readonly name: string;
  readonly usage: string;
  readonly does: string;
  readonly module: string;
}
