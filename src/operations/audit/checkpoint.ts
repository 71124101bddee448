import { type AuditDifference, CHAIN_START, type ChainPoint, type Checkpoint } from '../../core/audit.js';
import { differenceError } from '../../core/errors.js';
import { type SigningKey, parsePublicKey } from '../../core/signature.js';
import { walkChain } from '../../engine/audit/chain.js';
import { checkpointInsert, fleetAndTime, hashesOf } from '../../engine/audit/checkpoints.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { withLock } from '../../pg/locks.js';
import { requireSigningKey } from '../signing.js';
import { appendCheckpoint, readCheckpointFile, signCheckpoint, signatureProblem } from './checkpoint-file.js';
import { ONE_SNAPSHOT } from './verify.js';

export interface CheckpointResult {
  /** The newest checkpoint of the file. */
  checkpoint: Checkpoint;
  file: string;
  /** Has the log grown since the one before it? */
  isNew: boolean;
  /** False when it has not, and in a dry run. */
  written: boolean;
}

/**
 * Signs how the log stands and writes that to a file outside the database, where whoever changes the log later cannot
 * reach it. Nothing is signed that is not proved since the last checkpoint. Again with nothing new: no change.
 * @throws configuration error `SIGNING_KEY_MISSING` (exit 3) · `AUDIT_DIFFERS` or `CHECKPOINTS_DIFFER` (exit 8), which
 *   name the differences · refusal `CHECKPOINT_UNWRITABLE` (exit 6)
 */
export async function writeCheckpoint(
  fleet: Fleet,
  file: string,
  options: { dryRun: boolean },
): Promise<CheckpointResult> {
  const key = requireSigningKey(fleet.settings);
  // Two at once would write the same line twice.
  return fleet.catalog((connection) =>
    withLock(connection, 'install', 'audit checkpoint', async () => {
      const known = await lastCheckpoint(connection, file, key);
      const last = known?.checkpoint;
      const head = await provedHead(connection, known);
      const isNew = last?.seq !== head.seq;
      const checkpoint = last !== undefined && !isNew ? last : await sign(connection, key, head);
      if (options.dryRun) return { checkpoint, file, isNew, written: false };
      if (isNew) await appendCheckpoint(file, checkpoint);
      await connection.execute(checkpointInsert(checkpoint, file));
      return { checkpoint, file, isNew, written: isNew };
    }),
  );
}

interface KnownCheckpoint {
  checkpoint: Checkpoint;
  /** Has our own key signed it, so that what is before it need not be proved again? */
  ours: boolean;
}

/** The last line of the file; undefined when there is none yet. */
async function lastCheckpoint(
  connection: Connection,
  file: string,
  key: SigningKey,
): Promise<KnownCheckpoint | undefined> {
  const read = await readCheckpointFile(file);
  const [broken] = read?.broken ?? [];
  if (broken !== undefined) throw fileDiffers(file, broken.message);
  const checkpoint = read?.lines.at(-1)?.checkpoint;
  if (checkpoint === undefined) return undefined;
  const { fleet } = await fleetAndTime(connection);
  if (checkpoint.fleet !== fleet) throw fileDiffers(file, 'its last line is about another fleet');
  const problem = signatureProblem(checkpoint, [parsePublicKey(key.publicKey)]);
  // An earlier key may have signed it; then it proves nothing here, and the chain is walked from its start.
  if (problem !== null && checkpoint.keyId === key.id) throw fileDiffers(file, `its last line ${problem}`);
  return { checkpoint, ours: problem === null };
}

/** The end of the chain, once everything up to it is what was written. */
async function provedHead(connection: Connection, known: KnownCheckpoint | undefined): Promise<ChainPoint> {
  const { walk, there } = await connection.transaction(async () => {
    const point = known?.checkpoint ?? CHAIN_START;
    const hashes = await hashesOf(connection, [point.seq]);
    const found = known === undefined || hashes.get(point.seq) === point.hash;
    const from = found && known?.ours === true ? point : CHAIN_START;
    return { there: found, walk: await walkChain(connection, from) };
  }, ONE_SNAPSHOT);
  const { last, differences } = walk;
  const seq = known?.checkpoint.seq ?? 0;
  if (last.seq < seq)
    throw logDiffers(
      `The log ends with entry ${last.seq}; the last checkpoint knows entry ${seq}.`,
      differences,
    );
  if (!there) throw logDiffers(`Entry ${seq} is not the one that the last checkpoint knows.`, differences);
  const [first] = differences;
  if (first !== undefined) throw logDiffers(`The audit log is not whole: ${first.message}.`, differences);
  return last;
}

async function sign(connection: Connection, key: SigningKey, head: ChainPoint): Promise<Checkpoint> {
  const now = await fleetAndTime(connection);
  return signCheckpoint(key, { ...now, ...head, entries: head.seq });
}

function fileDiffers(file: string, problem: string) {
  return differenceError(
    'CHECKPOINTS_DIFFER',
    `The checkpoint file ${file} is not what was written: ${problem}.`,
    {
      hint: 'Nothing was signed. Find out who has changed it; with another --file a new one is begun.',
      facts: { file },
    },
  );
}

function logDiffers(message: string, differences: readonly AuditDifference[]) {
  return differenceError('AUDIT_DIFFERS', message, {
    hint: 'Nothing was signed. `tenantctl audit verify` names every difference.',
    facts: { differences },
  });
}
