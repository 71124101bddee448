import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AuditDifference, AuditDifferenceKind, Checkpoint } from '../../core/audit.js';
import { canonicalJson } from '../../core/canonical-json.js';
import { refusedError } from '../../core/errors.js';
import { type PublicKey, type SigningKey, isSignedBy, signText } from '../../core/signature.js';

/** A line of a checkpoint file that could be read. */
export interface CheckpointLine {
  /** From 1. */
  line: number;
  checkpoint: Checkpoint;
}

export interface CheckpointFile {
  lines: CheckpointLine[];
  /** Lines that are no checkpoints. */
  broken: AuditDifference[];
}

/** The checkpoints of a file; null when there is no such file. */
export async function readCheckpointFile(file: string): Promise<CheckpointFile | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw unusable(file, error);
  });
  if (text === null) return null;
  const read: CheckpointFile = { lines: [], broken: [] };
  const lines = text.split('\n');
  // Whole lines end with a line feed: what stands behind the last one was not written to its end.
  const rest = lines.pop();
  lines.forEach((content, at) => {
    const checkpoint = parseCheckpoint(content);
    if (checkpoint === undefined) read.broken.push(brokenLine(at + 1, 'is not a checkpoint'));
    else read.lines.push({ line: at + 1, checkpoint });
  });
  if (rest !== '') read.broken.push(brokenLine(lines.length + 1, 'was not written to its end'));
  return read;
}

/** Signs how the chain stands. */
export function signCheckpoint(key: SigningKey, point: Omit<Checkpoint, 'keyId' | 'signature'>): Checkpoint {
  const signed = { ...point, keyId: key.id };
  return { ...signed, signature: signText(key, canonicalJson(signed)).value };
}

/** What is wrong with the signature of a checkpoint; null when it is right, or when there is no key to ask. */
export function signatureProblem(checkpoint: Checkpoint, keys: readonly PublicKey[]): string | null {
  if (keys.length === 0) return null;
  const { signature, ...signed } = checkpoint;
  const key = keys.find(({ id }) => id === signed.keyId);
  if (key === undefined) return `is signed with key ${signed.keyId}, which was not given`;
  return isSignedBy(key.key, canonicalJson(signed), { value: signature })
    ? null
    : 'does not bear a right signature';
}

/**
 * Adds a line, which is on the disk when this returns. In one write at the end of the file, so that two processes
 * cannot mix their lines.
 * @throws refusal `CHECKPOINT_UNWRITABLE` (exit 6)
 */
export async function appendCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  const line = Buffer.from(`${canonicalJson(checkpoint)}\n`);
  try {
    const handle = await open(file, 'a', 0o600);
    try {
      const { bytesWritten } = await handle.write(line, 0, line.length);
      if (bytesWritten < line.length)
        throw new Error(`only ${bytesWritten} of ${line.length} bytes were written`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncFolder(path.dirname(file));
  } catch (error) {
    throw unusable(file, error);
  }
}

/** A new file is safe only with the entry in its folder. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function parseCheckpoint(text: string): Checkpoint | undefined {
  try {
    const value = JSON.parse(text) as Checkpoint;
    const { fleet, seq, hash, entries, at, keyId, signature } = value;
    const texts = [fleet, hash, at, keyId, signature];
    const whole = Number.isSafeInteger(seq) && Number.isSafeInteger(entries);
    return whole && texts.every((member) => typeof member === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function brokenLine(line: number, problem: string): AuditDifference {
  return lineDifference('checkpoint-unreadable', line, null, problem);
}

/** A difference that is about a line of the file. */
export function lineDifference(
  kind: AuditDifferenceKind,
  line: number,
  seq: number | null,
  problem: string,
): AuditDifference {
  return { kind, seq, message: `line ${line} of the checkpoint file ${problem}` };
}

function unusable(file: string, cause: unknown) {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return refusedError('CHECKPOINT_UNWRITABLE', `The checkpoint file ${file} cannot be used: ${reason}`, {
    hint: 'Name a file in a folder that exists and that you may write to, with --file or --checkpoints.',
    facts: { file },
    cause,
  });
}
