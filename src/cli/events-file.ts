import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../core/errors.js';
import { jsonLines } from '../render/json-lines.js';
import type { Renderer } from '../render/renderer.js';
import type { Io } from './io.js';

/**
 * Writes events where `--events` says. A file is appended to, and at once: what a killed process
 * has said must be there.
 * @throws usage error `EVENTS_UNWRITABLE` (exit 2)
 */
export function eventsTo(target: string, io: Io): Renderer {
  if (target === '-')
    return jsonLines(
      (line) => void io.stderr.write(line),
      () => undefined,
    );
  const file = openFile(resolve(io.cwd, target));
  return jsonLines(
    (line) => void writeSync(file, line),
    () => closeSync(file),
  );
}

function openFile(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usageError('EVENTS_UNWRITABLE', `--events: cannot write ${path}: ${reason}`, {
      hint: 'Name a file in a folder that exists and that you may write to; "-" is stderr.',
      facts: { option: '--events' },
      cause,
    });
  }
}
