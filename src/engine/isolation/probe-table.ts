import type { Connection } from '../../pg/connection.js';
import { ident, literal } from '../../pg/sql.js';
import { type Attempt, type Outcome, attemptScript, outcomesOf } from './attempt.js';
import { isOvertime } from './overtime.js';
import { looseReferences } from './probes/reference-to-foreign-row.js';
import { specimenOf } from './probes/specimen.js';
import {
  type Pair,
  type Scene,
  application,
  beginReading,
  beginWith,
  newPair,
  owner,
  send,
} from './scene.js';
import { NoRow, RowMaker, type Writer } from './specimen/make-rows.js';
import type { Relation } from './specimen/relation.js';
import { type ForeignParent, TableRun, type Tried } from './table-run.js';

/** Makes a row for each of two tenants in a table, and tries every command in every context to cross from one to the other. */
export async function tryTable(
  session: Connection,
  scene: Scene,
  table: Relation,
  writer: Writer,
  before: (tenant: string) => Promise<void>,
): Promise<Tried> {
  const pair = newPair(scene);
  const untouched = writer.become(pair.own.key) === owner(scene);
  // Rows that are there already prove nothing when they are not seen; they tell when they are, or when reading fails.
  const early = untouched ? [] : await firstLook(session, scene, table);
  await send(session, beginWith(scene, pair));
  await before(pair.own.key);
  await before(pair.foreign.key);
  const { column } = scene.fleet.settings.tenancy;
  const maker = new RowMaker(session, scene.tables, column, scene.owned, writer);
  const foreignRow = await maker.rowFor(table, pair.foreign.key);
  const ownRow = await maker.rowFor(table, pair.own.key);
  const foreignRows = table.tenanted ? await countRows(session, scene, table, writer, pair) : 0;
  const specimen = specimenOf(table, column, ownRow, foreignRow, foreignRows);
  if (specimen === undefined) throw new NoRow('no key tells its rows apart');
  const run = new TableRun(session, scene, pair, specimen, untouched);
  run.tried.outcomes.push(...early.map((outcome) => ({ situation: 'no context' as const, outcome })));
  try {
    await run.first(await parentsOf(maker, scene, table, pair));
    await run.again(maker.made, writer, 'a context left by an earlier transaction');
    await run.again(maker.made, writer, 'a session that another tenant has left its context in');
  } catch (error) {
    // What was seen until then was seen.
    if (!isOvertime(error)) throw error;
    run.tried.stopped = true;
  }
  return run.tried;
}

async function firstLook(session: Connection, scene: Scene, table: Relation): Promise<Outcome[]> {
  const attempt: Attempt = {
    command: 'SELECT',
    how: 'any row',
    counts: true,
    statement: `select count(*) from (select from ${table.qualified} limit 1) x`,
  };
  const results = await session.message(
    `${beginReading(scene)}; ${application(scene, null)}; ${attemptScript([attempt])}; rollback`,
  );
  return outcomesOf(results, 0, [attempt]);
}

/** Rows of the other tenant: triggers may have made more than one. */
async function countRows(
  session: Connection,
  scene: Scene,
  table: Relation,
  writer: Writer,
  { foreign }: Pair,
): Promise<number> {
  const column = ident(scene.fleet.settings.tenancy.column).text();
  const results = await session.message(
    `${writer.become(foreign.key)}; select count(*)::int as n from ${table.qualified} where ${column}::text = ${literal(foreign.key)}`,
  );
  return Number(results.at(-1)?.rows[0]?.['n']);
}

/** The other tenant's rows that a row of this table could be made to refer to. */
async function parentsOf(
  maker: RowMaker,
  { tables, owned, fleet }: Scene,
  table: Relation,
  { foreign }: Pair,
): Promise<ForeignParent[]> {
  const parents: ForeignParent[] = [];
  for (const reference of looseReferences(table, fleet.settings.tenancy.column, owned.tables)) {
    const parent = tables.get(reference.parent);
    if (parent === undefined) continue;
    const row = await maker.rowFor(parent, foreign.key, [table.qualified]).catch(nullForNoRow);
    if (row !== null) parents.push({ reference, row });
  }
  return parents;
}

function nullForNoRow(error: unknown): null {
  if (error instanceof NoRow) return null;
  throw error;
}
