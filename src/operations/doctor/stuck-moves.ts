import type { MoveHome, MoveState, UndoState } from '../../core/move.js';
import { isPastReturn } from '../../core/move.js';
import { shortId } from '../../core/short-id.js';
import { LEASE_MS } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { sql } from '../../pg/sql.js';
import { leftUnheard } from '../moves/departed.js';
import type { DoctorFinding } from './rule.js';

interface Stuck {
  move: string;
  tenant: string;
  from: MoveHome;
  to: MoveHome;
  state: MoveState;
  undo: UndoState;
  quietSince: string;
}

/** Moves that are not at rest, and whose driver has given no sign of life for longer than its lease. */
export async function stuckMoves(fleet: Fleet): Promise<DoctorFinding[]> {
  const stuck = await fleet.catalog((catalog) =>
    catalog.rows<Stuck>(sql`
      select id as move, tenant, from_home as "from", to_home as "to", state, undo_state as undo, to_char(quiet at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "quietSince"
        from (select m.*, coalesce(m.lease_until, m.started_at + ${LEASE_MS} * interval '1 millisecond') as quiet
                from tenantctl_catalog.moves m where m.finished_at is null) open
       where quiet < now() and (state <> 'grace' or undo_state is not null) order by started_at`),
  );
  return Promise.all(stuck.map(async (move) => finding(move, await leftUnheard(fleet, move))));
}

function finding({ move, tenant, state, undo, quietSince }: Stuck, left: boolean): DoctorFinding {
  const id = shortId(move);
  const back = isPastReturn(state) || left ? '' : ` \`tenantctl moves abort ${id}\` takes it back.`;
  const effect = left
    ? 'it has left its home and is refused everywhere until then'
    : 'its units are not migrated meanwhile';
  return {
    rule: 'move-stuck',
    level: left ? 'error' : 'warning',
    where: `move ${id}, tenant ${tenant}`,
    message: `the ${undo === null ? 'move' : 'way back'} of tenant ${tenant} is ${left ? 'past the decision' : (undo ?? state)}, and its driver has given no sign of life since ${quietSince}; ${effect}`,
    hint: `\`tenantctl moves resume ${id}\` goes on with it.${back}`,
    facts: { tenant, move, state, undo, left },
  };
}
