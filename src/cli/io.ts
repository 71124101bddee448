import type { Readable } from 'node:stream';
import type { Output } from '../render/renderer.js';

type Input = Readable & { isTTY?: boolean };

/** Everything the command line touches of the outside. Tests hand in their own. */
export interface Io {
  stdout: Output;
  stderr: Output;
  stdin: Input;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Hears SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Ends the process at once, for the second signal; everything else returns an exit code. */
  exitNow(code: number): void;
}

/** Whether nobody is there to look or to answer, whatever the streams pretend. */
export function isCi(env: Io['env']): boolean {
  return !['', '0', 'false'].includes(env['CI'] ?? '');
}

/** Whether a question could be answered. */
export function canAsk(io: Io): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true && !isCi(io.env);
}
