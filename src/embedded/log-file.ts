import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** A log that was opened for a server's output, and where it ended before. */
export interface LogMark {
  readonly descriptor: number;
  close(): Promise<void>;
  /** What has been written since it was opened. */
  written(): Promise<string>;
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Opens the server's log for appending. It may hold SQL with secrets: only its owner reads it. Links are
 * not followed, because root gives the file to the owner of its folder.
 */
export async function openLog(file: string): Promise<LogMark> {
  const handle = await open(file, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600);
  if (process.geteuid?.() === 0) {
    const { uid, gid } = await stat(path.dirname(file));
    await handle.chown(uid, gid);
  }
  const { size } = await handle.stat();
  return {
    descriptor: handle.fd,
    close: () => handle.close(),
    written: async () => (await readFile(file)).subarray(size).toString('utf8'),
  };
}
