import { groupBy } from '../../core/group-by.js';
import { prefixOf } from '../../engine/moves/guards.js';
import type { Connection } from '../../pg/connection.js';
import { isHeld } from '../../pg/locks.js';
import { raw, sql } from '../../pg/sql.js';
import type { DatabaseContext } from './rule.js';

/** What is known of whoever has put something here. */
export type MoveKnown = 'under way' | 'over' | 'unknown' | 'restore';

interface GuardTrigger {
  /** Qualified and quoted. */
  on: string;
  schema: string;
  name: string;
}

interface SetAside {
  relation: string;
  kind: string;
  name: string;
  definition: string;
}

/** Everything that one move has put into one database beside the rows of its tenant. */
export interface Remains {
  /** Of the move; where only triggers are left of one that nobody knows, what their names begin with. */
  id: string;
  tenant: string | null;
  state: string | null;
  known: MoveKnown;
  triggers: GuardTrigger[];
  /** In schema tenantctl. */
  functions: string[];
  /** Keys of rows that were written. */
  marks: number;
  /** Entries in tenantctl.move. */
  rows: number;
  aside: SetAside[];
  /** Schemas whose tables it guards. */
  schemas: string[];
}

interface Move {
  id: string;
  tenant: string;
  state: string;
  over: boolean;
}

/** Length of `tenantctl_` and the eight digits that tell moves apart. */
const PREFIX = /^tenantctl_[0-9a-f]{8}_/;

/** What moves and restores have put here, each with what is known of it. A database from before moves has nothing. */
export async function readRemains({ fleet, session }: DatabaseContext): Promise<Remains[]> {
  const there = await session.row<{ there: boolean }>(
    raw(`select to_regclass('tenantctl.set_aside') is not null as there`),
  );
  if (there?.there !== true) return [];
  const found = await readAll(session);
  if (found.ids.size === 0) return [];
  return fleet.catalog(async (catalog) => {
    const moves = await catalog.rows<Move>(
      raw('select id, tenant, state, finished_at is not null as over from tenantctl_catalog.moves'),
    );
    const remains = assemble(found, moves);
    for (const each of remains) {
      if (each.known !== 'restore') continue;
      if (await isHeld(catalog, 'tenant', each.tenant ?? '')) each.known = 'under way';
    }
    return remains;
  });
}

interface Found {
  ids: Set<string>;
  triggers: Map<string, GuardTrigger[]>;
  functions: Map<string, string[]>;
  marks: Map<string, number>;
  rows: Map<string, number>;
  aside: Map<string, SetAside[]>;
}

async function readAll(session: Connection): Promise<Found> {
  const triggers = await session.rows<GuardTrigger>(
    raw(`
    select format('%I.%I', n.nspname, c.relname) as on, n.nspname::text as schema, t.tgname::text as name
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgname ~ '^tenantctl_[0-9a-f]{8}_' and t.tgparentid = 0 order by 1, 3`),
  );
  const functions = await session.rows<{ name: string }>(
    raw(`
    select p.proname::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'tenantctl' and p.proname ~ '^tenantctl_[0-9a-f]{8}_' order by 1`),
  );
  const counts = await session.rows<{ id: string; marks: number; rows: number }>(
    raw(`
    select move as id, sum(marks)::float8 as marks, sum(rows)::float8 as rows
      from (select move, count(*) as marks, 0 as rows from tenantctl.dirty group by move
            union all select move, 0, count(*) from tenantctl.move group by move) counted group by move`),
  );
  const aside = await session.rows<SetAside & { move: string }>(
    sql`select move, relation, kind, name, definition from tenantctl.set_aside order by relation, kind, name`,
  );
  const prefix = ({ name }: { name: string }): string => PREFIX.exec(name)?.[0] ?? name;
  const found = {
    triggers: groupBy(triggers, prefix),
    functions: new Map(
      [...groupBy(functions, prefix)].map(([key, own]) => [key, own.map(({ name }) => name)]),
    ),
    marks: new Map(counts.map(({ id, marks }) => [id, marks])),
    rows: new Map(counts.map(({ id, rows }) => [id, rows])),
    aside: groupBy(aside, ({ move }) => move),
  };
  const ids = Object.values(found).flatMap((part: Map<string, unknown>) => [...part.keys()]);
  return { ...found, ids: new Set(ids) };
}

/** Triggers and functions bear a digest of their move: it is found by making the digests of all that are known. */
function assemble(found: Found, moves: readonly Move[]): Remains[] {
  const byId = new Map(moves.map((move) => [move.id, move]));
  const byPrefix = new Map(
    [...moves.map(({ id }) => id), ...found.ids].flatMap((id) =>
      (['source', 'target'] as const).map((name) => [prefixOf({ name }, id), id] as const),
    ),
  );
  const ids = new Set([...found.ids].map((id) => byPrefix.get(id) ?? id));
  return [...ids].map((id) => {
    const prefixes = (['source', 'target'] as const).map((name) => prefixOf({ name }, id));
    const names = [id, ...prefixes];
    const triggers = names.flatMap((name) => found.triggers.get(name) ?? []);
    return {
      id,
      ...whatIsKnown(id, byId.get(id)),
      triggers,
      functions: names.flatMap((name) => found.functions.get(name) ?? []),
      marks: found.marks.get(id) ?? 0,
      rows: found.rows.get(id) ?? 0,
      aside: found.aside.get(id) ?? [],
      schemas: [...new Set(triggers.map(({ schema }) => schema))],
    };
  });
}

const RESTORE = 'restore ';

function whatIsKnown(id: string, move: Move | undefined): Pick<Remains, 'tenant' | 'state' | 'known'> {
  if (move !== undefined)
    return { tenant: move.tenant, state: move.state, known: move.over ? 'over' : 'under way' };
  if (id.startsWith(RESTORE)) return { tenant: id.slice(RESTORE.length), state: null, known: 'restore' };
  return { tenant: null, state: null, known: 'unknown' };
}
