import type { AuditDifference, ChainPoint } from '../../core/audit.js';
import { type PublicKey } from '../../core/signature.js';
import { walkChain } from '../../engine/audit/chain.js';
import {
  type StoredCheckpoint,
  fleetAndTime,
  hashesOf,
  readCheckpoints,
} from '../../engine/audit/checkpoints.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import {
  type CheckpointFile,
  type CheckpointLine,
  lineDifference,
  readCheckpointFile,
  signatureProblem,
} from './checkpoint-file.js';

/** One state of the log, whoever writes meanwhile. */
export const ONE_SNAPSHOT = 'begin isolation level repeatable read read only';

export interface AuditVerification {
  ok: boolean;
  entries: number;
  /** The last entry that is there. */
  head: ChainPoint;
  checkpoints: {
    /** The file that was read, or null when there is none. */
    file: string | null;
    inFile: number;
    inCatalog: number;
    /** Whether a key was there to check the signatures with. */
    signatures: 'checked' | 'not checked';
  };
  /** The first is where the log is broken first. */
  differences: AuditDifference[];
}

/**
 * Walks the whole chain and holds it against every checkpoint there is.
 * @param keys what may have signed the checkpoints; without any their signatures are not checked
 */
export async function verifyAudit(
  fleet: Fleet,
  { file, keys }: { file: string; keys: readonly PublicKey[] },
): Promise<AuditVerification> {
  const checkpoints = await readCheckpointFile(file);
  return fleet.catalog((connection) =>
    connection.transaction(async () => {
      const walk = await walkChain(connection);
      const stored = await readCheckpoints(connection);
      const differences = [
        ...walk.differences,
        ...(await compareFile(connection, checkpoints, keys, walk.last)),
        ...(await compareStored(connection, stored, checkpoints, walk.last)),
      ];
      return {
        ok: differences.length === 0,
        entries: walk.entries,
        head: walk.last,
        checkpoints: {
          file: checkpoints === null ? null : file,
          inFile: checkpoints?.lines.length ?? 0,
          inCatalog: stored.length,
          signatures: keys.length === 0 ? 'not checked' : 'checked',
        },
        differences,
      };
    }, ONE_SNAPSHOT),
  );
}

/** What the lines of a file say against the log as it is now. */
async function compareFile(
  connection: Connection,
  file: CheckpointFile | null,
  keys: readonly PublicKey[],
  last: ChainPoint,
): Promise<AuditDifference[]> {
  if (file === null) return [];
  const { fleet } = await fleetAndTime(connection);
  const hashes = await hashesOf(
    connection,
    file.lines.map(({ checkpoint }) => checkpoint.seq),
  );
  const differences = file.lines.flatMap((line) => compareLine(line, fleet, keys, hashes, last) ?? []);
  return [...file.broken, ...differences];
}

function compareLine(
  { line, checkpoint }: CheckpointLine,
  fleet: string,
  keys: readonly PublicKey[],
  hashes: ReadonlyMap<number, string>,
  last: ChainPoint,
): AuditDifference | undefined {
  const { seq } = checkpoint;
  if (checkpoint.fleet !== fleet)
    return lineDifference('checkpoint-of-another-fleet', line, seq, 'is about another fleet');
  const problem = signatureProblem(checkpoint, keys);
  if (problem !== null) return lineDifference('checkpoint-signature', line, seq, problem);
  return comparePoint(checkpoint, hashes, last, `the checkpoint of ${checkpoint.at}`);
}

/** The catalog's own list may be forged together with the log; it tells of accidents, such as a restored backup. */
async function compareStored(
  connection: Connection,
  stored: readonly StoredCheckpoint[],
  file: CheckpointFile | null,
  last: ChainPoint,
): Promise<AuditDifference[]> {
  const inFile = new Set(file?.lines.map(({ checkpoint }) => checkpoint.seq));
  const others = stored.filter(({ seq }) => !inFile.has(seq));
  const hashes = await hashesOf(
    connection,
    others.map(({ seq }) => seq),
  );
  return others.flatMap((point) => comparePoint(point, hashes, last, "the catalog's checkpoint") ?? []);
}

function comparePoint(
  { seq, hash }: ChainPoint,
  hashes: ReadonlyMap<number, string>,
  last: ChainPoint,
  who: string,
): AuditDifference | undefined {
  if (seq > last.seq) {
    const message = `${who} knows entry ${seq}, but the log ends with entry ${last.seq}: it was cut, or set back`;
    return { kind: 'truncated', seq: last.seq + 1, message };
  }
  const found = hashes.get(seq);
  if (found === hash) return undefined;
  if (found === undefined)
    return { kind: 'missing', seq, message: `${who} knows entry ${seq}, which is gone` };
  return {
    kind: 'replaced',
    seq,
    message: `${who} knows entry ${seq} with another hash: the log was written anew up to there`,
  };
}
