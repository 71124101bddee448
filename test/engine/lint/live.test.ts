import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { type LockMode, blockedBy } from '../../../src/core/lock-mode.js';
import { RULES } from '../../../src/engine/lint/registry.js';
import { loadParser, parseScript } from '../../../src/engine/ledger/parser.js';
import { type Seen, locksOf, processOf, relationsOf } from '../ledger/locks-seen.js';
import { useUnits } from '../ledger/units.js';
import { BASE, filesOf } from './examples.js';

const units = useUnits();
beforeAll(loadParser);

/** Rows, so that there is something to read, write anew and fail on. */
const ROWS = `
  insert into customer (tenant_id, id, name, discount) select gen_random_uuid(), i, 'x', 5 from generate_series(1, 50) i;
  insert into invoice (tenant_id, id, customer_id, number, status)
    select tenant_id, id, id, id::text, 'open' from customer;
  insert into activity select tenant_id, '2026-05-01', 'x' from customer;
  insert into activity_2025 select tenant_id, '2025-05-01', 'x' from customer;
  analyze`;

/** What one statement does: tables that it shuts to others while it reads them whole or writes them anew. */
interface Work {
  relation: string;
  scans: boolean;
  rewrites: boolean;
}

async function prepared() {
  const unit = await units.newUnit();
  const session = await units.outsider();
  await session.query(`set search_path = ${unit.schema}; ${BASE}; ${ROWS}`);
  return { schema: unit.schema, session };
}

const statementsOf = (sql: string): string[] =>
  parseScript({ fileName: 'x.sql', path: 'x.sql', sql }).statements.map(({ start, end }) =>
    sql.slice(start, end),
  );

/** Runs a file in one transaction; whatever a statement reads or writes anew while others are shut out is told. */
async function workUnderLocks(session: pg.Client, schema: string, sql: string): Promise<Work[]> {
  const before = await relationsOf(session, schema);
  const found: Work[] = [];
  let seen = before;
  for (const statement of statementsOf(sql)) {
    await session.query(statement);
    const now = await relationsOf(session, schema);
    const locks = await locksOf(session, await processOf(session), before);
    found.push(
      ...changes(seen, now).filter(({ relation }) => isShut(now.get(relation), locks.get(relation))),
    );
    seen = now;
  }
  return found;
}

/** Nobody but REFRESH writes a materialized view. */
function isShut(seen: Seen | undefined, lock: LockMode = 'ACCESS SHARE'): boolean {
  if (seen?.kind === 'm') return blockedBy(lock) === 'readers and writers';
  return seen?.kind === 'r' && blockedBy(lock) !== 'nothing';
}

function changes(earlier: Map<string, Seen>, now: Map<string, Seen>): Work[] {
  return [...now].flatMap(([name, { file, scans }]) => {
    const past = earlier.get(name);
    if (past === undefined) return [];
    const work = { relation: name, scans: scans > past.scans, rewrites: file !== past.file };
    return work.scans || work.rewrites ? [work] : [];
  });
}

/** The rules about what goes on under a lock, with the table that their bad example reads or writes anew. */
const WORKING: Readonly<Record<string, Work>> = {
  'index-without-concurrently': { relation: 'invoice', scans: true, rewrites: false },
  'reindex-without-concurrently': { relation: 'invoice', scans: true, rewrites: false },
  'table-rewrite': { relation: 'invoice', scans: true, rewrites: true },
  'volatile-default': { relation: 'invoice', scans: true, rewrites: true },
  'column-type-change': { relation: 'invoice', scans: true, rewrites: true },
  'set-not-null-scan': { relation: 'invoice', scans: true, rewrites: false },
  'foreign-key-checked-at-once': { relation: 'invoice', scans: true, rewrites: false },
  'check-without-not-valid': { relation: 'invoice', scans: true, rewrites: false },
  'key-built-under-lock': { relation: 'invoice', scans: true, rewrites: false },
  'validate-in-same-transaction': { relation: 'invoice', scans: true, rewrites: false },
  'domain-constraint-scan': { relation: 'customer', scans: true, rewrites: false },
  'attach-partition-scan': { relation: 'activity_2025', scans: true, rewrites: false },
  'refresh-without-concurrently': { relation: 'revenue', scans: true, rewrites: true },
  'locks-held-over-work': { relation: 'invoice', scans: true, rewrites: false },
};
const named = (name: string) => RULES.find((rule) => rule.name === name)!;

describe('on a server', () => {
  test.each(Object.entries(WORKING))(
    'the bad example of %s works on a table while others are shut out',
    async (name, work) => {
      const { session, schema } = await prepared();
      await session.query('begin');
      expect(await workUnderLocks(session, schema, named(name).bad)).toContainEqual(work);
      await session.query('rollback');
    },
  );

  test.each(Object.keys(WORKING))('the good example of %s does not', async (name) => {
    const { session, schema } = await prepared();
    for (const sql of Object.values(filesOf(named(name).good))) {
      if (/^-- tenantctl: (?:no-transaction|batched)/m.test(sql)) {
        for (const statement of statementsOf(sql)) await session.query(statement);
        continue;
      }
      await session.query('begin');
      expect(await workUnderLocks(session, schema, sql)).toEqual([]);
      await session.query('commit');
    }
  });

  test.each([
    ['index-drop-without-concurrently', 'invoice'],
    ['detach-partition-without-concurrently', 'activity'],
    ['several-tables-locked', 'invoice'],
    ['drop-column', 'invoice'],
    ['truncate-table', 'invoice'],
    ['lock-table', 'invoice'],
  ])('the bad example of %s shuts others out', async (name, relation) => {
    const { session, schema } = await prepared();
    const before = await relationsOf(session, schema);
    await session.query(`begin; ${named(name).bad}`);
    const lock = (await locksOf(session, await processOf(session), before)).get(relation);
    expect(blockedBy(lock ?? 'ACCESS SHARE')).not.toBe('nothing');
    await session.query('rollback');
  });

  test.each([
    ['index-drop-without-concurrently', 'invoice'],
    ['detach-partition-without-concurrently', 'activity'],
    ['lock-table', 'invoice'],
  ])('the good example of %s shuts nobody out', async (name, relation) => {
    const { session, schema } = await prepared();
    const reader = await units.outsider();
    const pid = await processOf(session);
    await reader.query(
      `begin; insert into ${schema}.${relation} select * from ${schema}.${relation} where false`,
    );
    const [statement = ''] = statementsOf(named(name).good);
    const running = session.query(name === 'lock-table' ? `begin; ${statement}` : statement);
    // A second writer goes on while the first holds the statement up.
    const other = await units.outsider();
    await other.query(`insert into ${schema}.${relation} select * from ${schema}.${relation} where false`);
    await reader.query('commit');
    await running;
    expect(pid).toBeGreaterThan(0);
    await session.query('rollback');
  });

  test.each([
    ['concurrently-in-transaction', '25001'],
    ['not-null-without-default', '23502'],
    ['concurrently-on-partitioned', '0A000'],
    ['enum-value-used-at-once', '55P04'],
  ])('the bad example of %s fails with %s, and the good one does not', async (name, code) => {
    const { session } = await prepared();
    const { bad, good } = named(name);
    if (!bad.includes('no-transaction')) await session.query('begin');
    const all = [
      ...statementsOf(bad),
      'insert into invoice (tenant_id, id) values (gen_random_uuid(), 1000)',
    ];
    const failing = async () => {
      for (const statement of all) await session.query(statement);
    };
    await expect(failing()).rejects.toMatchObject({ code });
    await session.query('rollback');
    for (const sql of Object.values(filesOf(good))) await session.query(sql);
  });

  test('an interrupted build leaves an index that IF NOT EXISTS takes for the real one', async () => {
    const { session, schema } = await prepared();
    await session.query(
      `update invoice set number = 'same', tenant_id = '7f2c4c56-0000-4000-8000-000000000001'`,
    );
    const build =
      'create unique index concurrently if not exists invoice_number_key on invoice (tenant_id, number)';
    await expect(session.query(build)).rejects.toMatchObject({ code: '23505' });
    await session.query(build);
    const { rows } = await session.query(
      `select indisvalid from pg_index where indexrelid = '${schema}.invoice_number_key'::regclass`,
    );
    expect(rows).toEqual([{ indisvalid: false }]);
  });
});
