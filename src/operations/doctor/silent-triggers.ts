import { MARK } from '../../engine/moves/merge/silenced-definition.js';
import { raw, sql } from '../../pg/sql.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

interface SilentTrigger {
  relation: string;
  name: string;
  definition: string;
}

/** Triggers of the application's that a move has silenced for itself, and of which nothing says how they were. */
export async function silentTriggers(context: DatabaseContext): Promise<DoctorFinding[]> {
  const { session } = context;
  const there = await session.row<{ there: boolean }>(
    raw(`select to_regclass('tenantctl.set_aside') is not null as there`),
  );
  if (there?.there !== true) return [];
  const silent = await session.rows<SilentTrigger>(sql`
    select t.tgrelid::regclass::text as relation, t.tgname::text as name, pg_get_triggerdef(t.oid) as definition
      from pg_trigger t
     where not t.tgisinternal and t.tgparentid = 0 and t.tgname not like 'tenantctl\\_%'
       and position(${MARK} in pg_get_triggerdef(t.oid)) > 0
       and not exists (select from tenantctl.set_aside a where a.kind = 'silenced trigger' and a.name = t.tgname)
     order by 1, 2`);
  return silent.map((trigger) => finding(context, trigger));
}

function finding(context: DatabaseContext, { relation, name, definition }: SilentTrigger): DoctorFinding {
  return {
    rule: 'silent-trigger',
    level: 'warning',
    where: `${placeName(context)}, ${relation}`,
    message: `trigger ${name} does not fire for the administrator while it moves a tenant, and no move is left that would put it back`,
    hint: 'It fires for everybody else. Make it anew with the definition that your migrations give it.',
    facts: { relation, trigger: name, definition },
  };
}
