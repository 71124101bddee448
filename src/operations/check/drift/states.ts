import type { Rule } from '../../../core/rule.js';
import type { UnitRecord } from '../../../engine/catalog/units.js';
import { targetTable } from '../../../engine/shape/own-name.js';
import type { Connection } from '../../../pg/connection.js';
import { raw, sql } from '../../../pg/sql.js';

/** Something that is there and out of work: the same object in some units of one database. */
export interface FoundState {
  by: StateRule;
  units: UnitRecord[];
  /** The table it belongs to, and its own name. */
  relation: string;
  name: string;
  /** What else the rule wanted to know. */
  extra: string;
}

/** A rule that one query over the catalogs of a database decides. */
export interface StateRule {
  rule: Rule;
  /** What kind of object it speaks of, so that its line in a shape is known. */
  of: 'index' | 'part' | 'table';
  /**
   * Gives `nsp`, `relation`, `name`, `extra`; to be put after `target (nsp, …)`, the schemas that are looked at, and
   * `at_work (relation)`, the tables that another session holds as one that builds or validates does.
   */
  query(serverVersion: number): string;
  /** How a file reads that will put it to work: where such a one is still to come, nothing is amiss. */
  settledBy?(state: FoundState): RegExp;
  tell(state: FoundState): {
    /** What is so, without the units: `index x of table y is invalid`. */
    message: string;
    hint: string;
    level?: Rule['level'];
    /** In one home. */
    sql(schema: string): string[];
  };
}

/** Whoever builds, validates or reindexes beside others holds this on the table. */
const AT_WORK = `at_work as materialized (
  select distinct l.relation from pg_locks l
   where l.database = (select oid from pg_database where datname = current_database()) and l.relation is not null and l.granted and l.pid <> pg_backend_pid()
     and l.mode in ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'AccessExclusiveLock'))`;

interface StateRow {
  rule: string;
  relation: string;
  name: string;
  extra: string;
  schemas: string[];
}

/** Everything that the rules find in these units of one database, in one query: what is alike in many comes once. */
export async function readStates(
  connection: Connection,
  units: ReadonlyMap<string, UnitRecord>,
  rules: readonly StateRule[],
): Promise<FoundState[]> {
  const parts = rules.map(
    ({ rule, query }) =>
      `select '${rule.name}' as rule, nsp, relation::text, name::text, extra::text from (${query(connection.version)}) found`,
  );
  const rows = await connection.transaction(
    () =>
      connection.rows<StateRow>(sql`
        with ${targetTable([...units.keys()])}, ${raw(AT_WORK)}
        select found.rule, found.relation, found.name, coalesce(found.extra, '') as extra, array_agg(t.schema order by t.schema) as schemas
          from (${raw(parts.join('\nunion all\n'))}) found join target t using (nsp)
         group by 1, 2, 3, 4 order by 1, 2, 3, 4`),
    'begin read only; set local jit = off',
  );
  const byName = new Map(rules.map((rule) => [rule.rule.name, rule]));
  return rows.flatMap(({ rule, schemas, ...state }) => {
    const by = byName.get(rule);
    if (by === undefined) return [];
    return [{ ...state, by, units: schemas.flatMap((schema) => units.get(schema) ?? []) }];
  });
}
