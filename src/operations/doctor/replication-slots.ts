import { raw } from '../../pg/sql.js';
import { literal } from '../../pg/sql.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

interface Slot {
  name: string;
  type: string;
  database: string | null;
  keptBytes: number | null;
}

/** Replication slots that nobody reads. This tool makes none, and each keeps the log of the whole server. */
export async function replicationSlots({ cluster, session }: ClusterContext): Promise<DoctorFinding[]> {
  const slots = await session.rows<Slot>(
    raw(`
    select slot_name::text as name, slot_type as type, database::text as database,
           case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 end as "keptBytes"
      from pg_replication_slots where not active and restart_lsn is not null order by 1`),
  );
  return slots.map(({ name, type, database, keptBytes }) => {
    const statement = `select pg_drop_replication_slot(${literal(name)})`;
    const kept = keptBytes === null ? '' : ` (${Math.round(keptBytes / 1_048_576)} MB so far)`;
    return {
      rule: 'replication-slot',
      level: 'warning',
      where: `${cluster}, slot ${name}`,
      message: `nobody reads this ${type} slot, and the server keeps every log file since it was left${kept}${database === null ? '' : `; database ${database} cannot be dropped while it is there`}`,
      hint: `If its reader does not come back, as a role with REPLICATION: ${statement};`,
      facts: { slot: name, type, database, keptBytes, sql: [statement] },
    };
  });
}
