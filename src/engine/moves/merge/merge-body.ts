import { type Sql, literal, raw } from '../../../pg/sql.js';
import { addChildren, binds, saveEarly } from './closure.js';
import { letGo, saveLoose } from './detach.js';
import { findEarly } from './early.js';
import { numbers } from './parts.js';
import { type Edge, type Pool, type PoolTable, keyed } from './pool-tables.js';
import { SLOTS, WRITTEN, countUnequalSaved, countUnequalStaged, rootsOf } from './self-check.js';
import { type Writing, removeEarly, removeVanished, together, writeWanted } from './write.js';

/** Beyond this many rows that did not change but have to be written again, a merge is not the way. */
export const CLOSURE_LIMIT = 50_000;

/** Temporary tables above this size are emptied by TRUNCATE, which costs more but leaves no dead rows. */
const LARGE = 1 << 20;

/** The text of the merge in PL/pgSQL. */
export function mergeBody(pool: Pool): string {
  const tables = keyed(pool.tables);
  const groups = pool.groups.map(keyed).filter((group) => group.length > 0);
  return `
#variable_conflict use_column
declare
  v_roots constant oid[] := ${rootsOf(pool.side, tables).text()};
  v_planned bigint[] := array_fill(0::bigint, array[${tables.length * SLOTS.length}]);
  v_before jsonb := (select coalesce(jsonb_object_agg(root, counts), '{}') from ${WRITTEN.text()});
  v_saved int[] := '{}';
  v_last int[];
  v_next int[];
  v_counts bigint[];
  v_rows bigint;
  v_round int := 0;
  v_rewritten bigint := 0;
  v_unequal jsonb := '[]';
  v_effects jsonb;
begin
  if current_setting('track_counts') <> 'on' then
    return jsonb_build_object('refused', 'track_counts');
  end if;
  set constraints all deferred;
  -- The one stage whose sides are small tables of the session's.
  perform set_config('enable_hashjoin', 'on', true);
  ${tables.map((table) => seekEarly(pool, table)).join('\n  ')}
  perform set_config('enable_hashjoin', 'off', true);
  if v_early <> '{}' then
    ${clearTheWay(pool, tables, groups)}
  end if;
  ${groups
    .map((group) =>
      guarded(
        'v_touched || v_early || v_saved',
        tables,
        group.flatMap((table) => writeWanted(pool, table)),
      ),
    )
    .join('\n  ')}
  ${groups
    .toReversed()
    .map((group) =>
      guarded(
        'v_touched',
        tables,
        group.map((table) => removeVanished(pool, table)),
      ),
    )
    .join('\n  ')}
  set constraints all immediate;
  ${tables.map((table) => check(pool, table)).join('\n  ')}
  ${compareEffects()}
  if v_early || v_saved <> '{}' then
    ${tables.map(empty).join('\n    ')}
  end if;
  return jsonb_build_object('rewritten', v_rewritten, 'unequal', v_unequal, 'effects', v_effects);
end`;
}

function seekEarly(pool: Pool, table: PoolTable): string {
  const statement = findEarly(pool, table);
  if (statement === undefined) return '';
  return `if ${table.index} = any (v_touched) then
    ${statement.text()};
    if found then v_early := v_early || ${table.index}; end if;
  end if;`;
}

function clearTheWay(pool: Pool, tables: readonly PoolTable[], groups: readonly PoolTable[][]): string {
  const edges = pool.edges.filter(({ child, parent }) => tables.includes(child) && tables.includes(parent));
  const binding = edges.filter(binds);
  const loose = edges.filter((edge) => !edge.lazy && edge.loose !== null);
  const bound = tables.filter((table) => binding.some(({ child }) => child === table));
  return `v_last := v_early;
    loop
      v_next := '{}';
      ${binding.map((edge) => follow(pool, edge)).join('\n      ')}
      exit when v_next = '{}';
      v_early := v_early || v_next;
      v_last := v_next;
      v_round := v_round + 1;
    end loop;
    ${bound.map((table) => save(pool, table)).join('\n    ')}
    if v_rewritten > ${CLOSURE_LIMIT} then
      return jsonb_build_object('refused', 'closure', 'rewritten', v_rewritten);
    end if;
    ${loose.map((edge) => detach(pool, tables, edge)).join('\n    ')}
    ${groups
      .toReversed()
      .map((group) =>
        guarded(
          'v_early',
          tables,
          group.map((table) => removeEarly(pool, table)),
        ),
      )
      .join('\n    ')}`;
}

function follow(pool: Pool, edge: Edge): string {
  return `if ${edge.parent.index} = any (v_last) then
        ${addChildren(pool, edge).text()};
        get diagnostics v_rows = row_count;
        if v_rows > 0 then v_next := v_next || ${edge.child.index}; end if;
      end if;`;
}

function save(pool: Pool, table: PoolTable): string {
  return `if ${table.index} = any (v_early) then
      ${saveEarly(pool, table).text()};
      get diagnostics v_rows = row_count;
      v_rewritten := v_rewritten + v_rows;
    end if;`;
}

function detach(pool: Pool, tables: readonly PoolTable[], edge: Edge): string {
  const { child, parent } = edge;
  return `if ${parent.index} = any (v_early) then
      ${saveLoose(pool, edge).text()};
      ${letGo(pool, edge).text()};
      get diagnostics v_rows = row_count;
      if v_rows > 0 then v_saved := v_saved || ${child.index}; end if;
      ${plan({ table: child, deed: 'update' }, tables, 'v_rows')}
    end if;`;
}

/** Runs writings of several tables as one statement when one of the tables is concerned, and notes the counts. */
function guarded(concerned: string, tables: readonly PoolTable[], writings: readonly Writing[]): string {
  const group = [...new Set(writings.map(({ table }) => table))];
  return `if ${numbers(group).text()} && (${concerned}) then
    ${together(writings, raw('into v_counts')).text()};
    ${writings.map((writing, n) => plan(writing, tables, `v_counts[${n + 1}]`)).join(' ')}
  end if;`;
}

function plan(
  { table, deed }: Pick<Writing, 'table' | 'deed'>,
  tables: readonly PoolTable[],
  rows: string,
): string {
  const slot = tables.indexOf(table) * SLOTS.length + SLOTS.indexOf(deed) + 1;
  return `v_planned[${slot}] := v_planned[${slot}] + ${rows};`;
}

function check(pool: Pool, table: PoolTable): string {
  const add = (concerned: string, count: Sql): string => `if ${table.index} = any (${concerned}) then
    v_rows := (${count.text()});
    if v_rows > 0 then
      v_unequal := v_unequal || jsonb_build_object('table', ${literal(table.table.name)}, 'rows', v_rows);
    end if;
  end if;`;
  return `${add('v_touched', countUnequalStaged(pool, table))}
  ${add('v_early || v_saved', countUnequalSaved(pool, table))}`;
}

function compareEffects(): string {
  const slots = SLOTS.length;
  return `v_effects := (select coalesce(jsonb_agg(jsonb_build_object('table', root::regclass::text, 'planned', planned, 'done', done)), '[]')
    from (select root, coalesce(planned, array[${SLOTS.map(() => 0).join(', ')}]) as planned, coalesce(done, array[${SLOTS.map(() => 0).join(', ')}]) as done
      from (select v_roots[n] as root, v_planned[${slots} * n - ${slots - 1} : ${slots} * n] as planned from generate_subscripts(v_roots, 1) n) p
      full join (select root, (select array_agg(counts[n] - coalesce((v_before -> root::text ->> n - 1)::bigint, 0) order by n)
          from generate_subscripts(counts, 1) n) as done from ${WRITTEN.text()}) d using (root)) pair
   where planned <> done);`;
}

function empty({ index, early, saved }: PoolTable): string {
  const emptied = [early, saved].map((name) => {
    const text = name.text();
    return `if pg_relation_size(${literal(text)}) > ${LARGE} then truncate ${text}; else delete from ${text}; end if;`;
  });
  return `if ${index} = any (v_early || v_saved) then ${emptied.join(' ')} end if;`;
}
