import { shortId } from '../../core/short-id.js';
import { conflictError } from '../../core/errors.js';
import { type StoredMove, findMoves, latestMoveOf, listMoves } from '../../engine/catalog/moves.js';
import type { Connection } from '../../pg/connection.js';

/**
 * The move that a person means: the latest of a tenant, finished or not, or the one whose id begins so; without either
 * the only unfinished one.
 * @throws conflict `MOVE_UNKNOWN` or `MOVE_AMBIGUOUS` (exit 5)
 */
export async function pickMove(connection: Connection, wanted: string | undefined): Promise<StoredMove> {
  const found = wanted === undefined ? await unfinished(connection) : await called(connection, wanted);
  const [move] = found;
  if (move === undefined) throw unknown(wanted);
  if (found.length > 1) throw ambiguous(wanted, found);
  return move;
}

async function unfinished(connection: Connection): Promise<StoredMove[]> {
  const moves = await listMoves(connection, 20);
  const open = moves.filter(({ finishedAt }) => finishedAt === null);
  return open.length > 0 ? open : moves.slice(0, 1);
}

async function called(connection: Connection, wanted: string): Promise<StoredMove[]> {
  const latest = await latestMoveOf(connection, wanted);
  return latest === undefined ? findMoves(connection, wanted) : [latest];
}

function unknown(wanted: string | undefined) {
  const message =
    wanted === undefined
      ? 'No tenant is being moved, and none was.'
      : `There is no move ${wanted}, and no tenant of that id is being moved or was.`;
  return conflictError('MOVE_UNKNOWN', message, {
    hint: '`tenantctl moves list` shows them; `tenantctl promote <tenant> --to <tier>` begins one.',
    facts: { wanted: wanted ?? null },
  });
}

function ambiguous(wanted: string | undefined, moves: readonly StoredMove[]) {
  const names = moves.map(({ move, tenant }) => `${shortId(move)} (${tenant})`).join(', ');
  return conflictError(
    'MOVE_AMBIGUOUS',
    `${wanted === undefined ? 'Several moves are not finished' : `Several moves begin with ${wanted}`}: ${names}.`,
    {
      hint: 'Name one of them, or its tenant.',
      facts: { moves: moves.map(({ move }) => move) },
    },
  );
}
