import type { MoveState, UndoState } from '../../core/move.js';
import { isPastReturn } from '../../core/move.js';
import { shortId } from '../../core/short-id.js';
import { LEASE_MS } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { sql } from '../../pg/sql.js';
import type { DoctorFinding } from './rule.js';

interface Stuck {
  move: string;
  tenant: string;
  state: MoveState;
  undo: UndoState;
  quietSince: string;
}

/** Moves that are not at rest, and whose driver has given no sign of life for longer than its lease. */
export async function stuckMoves(fleet: Fleet): Promise<DoctorFinding[]> {
  const stuck = await fleet.catalog((catalog) =>
    catalog.rows<Stuck>(sql`
      select id as move, tenant, state, undo_state as undo, to_char(quiet at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "quietSince"
        from (select m.*, coalesce(m.lease_until, m.started_at + ${LEASE_MS} * interval '1 millisecond') as quiet
                from tenantctl_catalog.moves m where m.finished_at is null) open
       where quiet < now() and (state <> 'grace' or undo_state is not null) order by started_at`),
  );
  return stuck.map(finding);
}

function finding({ move, tenant, state, undo, quietSince }: Stuck): DoctorFinding {
  const id = shortId(move);
  const back = !isPastReturn(state) ? ` \`tenantctl moves abort ${id}\` takes it back.` : '';
  return {
    rule: 'move-stuck',
    level: 'warning',
    where: `move ${id}, tenant ${tenant}`,
    message: `the ${undo === null ? 'move' : 'way back'} of tenant ${tenant} is ${undo ?? state}, and its driver has given no sign of life since ${quietSince}; its units are not migrated meanwhile`,
    hint: `\`tenantctl moves resume ${id}\` goes on with it.${back}`,
    facts: { tenant, move, state, undo },
  };
}
