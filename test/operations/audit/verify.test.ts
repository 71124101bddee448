import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generateSigningKey, parsePublicKey, parseSigningKey } from '../../../src/core/signature.js';
import { walkChain } from '../../../src/engine/audit/chain.js';
import { ENTRY_HASH } from '../../../src/engine/audit/hash.js';
import { writeCheckpoint } from '../../../src/operations/audit/checkpoint.js';
import { verifyAudit } from '../../../src/operations/audit/verify.js';
import type { Sql } from '../../../src/pg/sql.js';
import { query } from '../../support/server.js';
import { useLog } from './log.js';

const log = useLog();
const ownKey = () => parsePublicKey(parseSigningKey(log.current.made.settings.signing.key ?? '').publicKey);
const verify = (keys = [ownKey()]) => verifyAudit(log.current.fleet, { file: log.current.file, keys });
const checkpoint = () => writeCheckpoint(log.current.fleet, log.current.file, { dryRun: false });
const found = async () => (await verify()).differences.map(({ kind, seq }) => ({ kind, seq }));
const AUDIT = 'tenantctl_catalog.audit';
const HEAD = 'tenantctl_catalog.audit_head';

/** Makes the chain fit again from an entry on, as somebody would who knows how the hash is made. */
const rechain = (from: number) => `do $$ declare e ${AUDIT}; p text; begin
  select hash into p from ${AUDIT} where seq = ${from - 1};
  for e in select * from ${AUDIT} where seq >= ${from} order by seq loop
    e.previous := p; p := tenantctl_catalog.audit_hash(e);
    update ${AUDIT} set previous = e.previous, hash = p where seq = e.seq;
  end loop;
  update ${HEAD} set hash = p; end $$`;

describe('an audit log that nobody has touched', () => {
  test('verifies, with and without checkpoints', async () => {
    await log.current.write(10);
    const last = await log.current.last();
    expect(await verify()).toMatchObject({
      ok: true,
      entries: last,
      head: { seq: last },
      checkpoints: { file: null, inFile: 0, inCatalog: 0 },
      differences: [],
    });
    await checkpoint();
    await log.current.write(5);
    await checkpoint();
    expect(await verify()).toMatchObject({
      ok: true,
      entries: last + 5,
      checkpoints: { file: log.current.file, inFile: 2, inCatalog: 2, signatures: 'checked' },
    });
  });

  test('verifies while others write', async () => {
    await log.current.write(3_000);
    const [outcome] = await Promise.all([verify(), log.current.write(500), log.current.write(500)]);
    expect(outcome).toMatchObject({ ok: true, differences: [] });
  });

  test('is hashed by the tool as by the catalog', async () => {
    await log.current.write(30);
    const rows = await query<{ same: boolean }>(
      log.current.made.settings.catalogUrl,
      `select tenantctl_catalog.audit_hash(a) = ${ENTRY_HASH.text()} as same from ${AUDIT} a`,
    );
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.every(({ same }) => same)).toBe(true);
  });
});

describe('a log that was tampered with is found out:', () => {
  test.each([
    ['another actor', `update ${AUDIT} set actor = 'nobody' where seq = 5`],
    ['another reason', `update ${AUDIT} set reason = null where seq = 5`],
    ['a microsecond', `update ${AUDIT} set at = at + interval '1 microsecond' where seq = 5`],
    ['details', `update ${AUDIT} set details = details || '{"n": 7}' where seq = 5`],
    ['another ticket', `update ${AUDIT} set ticket = 'T-1' where seq = 5`],
  ])('%s in an entry', async (_what, statement) => {
    await log.current.write(10);
    await log.current.tamper(statement);
    expect(await found()).toEqual([{ kind: 'changed', seq: 5 }]);
  });

  test('an entry with a hash that was made to fit', async () => {
    await log.current.write(10);
    await log.current.tamper(
      `update ${AUDIT} a set actor = 'nobody' where seq = 5`,
      `update ${AUDIT} a set hash = tenantctl_catalog.audit_hash(a) where seq = 5`,
    );
    expect(await found()).toEqual([{ kind: 'wrong-previous', seq: 6 }]);
  });

  test('an entry that the replaced hash function of the catalog would confirm', async () => {
    await log.current.write(10);
    await log.current.tamper(
      `update ${AUDIT} set actor = 'nobody' where seq = 5`,
      `create or replace function tenantctl_catalog.audit_hash(p_entry ${AUDIT}) returns text language sql stable as 'select p_entry.hash'`,
    );
    expect(await found()).toEqual([{ kind: 'changed', seq: 5 }]);
  });

  test('entries removed from the middle and from the beginning', async () => {
    await log.current.write(10);
    await log.current.tamper(`delete from ${AUDIT} where seq in (1, 5, 6)`);
    const { differences } = await verify();
    expect(differences).toMatchObject([
      { kind: 'missing', seq: 1, message: 'entry 1 is missing' },
      { kind: 'missing', seq: 5, message: 'entries 5 to 6 are missing' },
    ]);
  });

  test('an entry slipped in beside another, so that the chain forks', async () => {
    await log.current.write(10);
    const last = await log.current.last();
    await log.current.tamper(
      `insert into ${AUDIT} select ${last + 1}, at, action, phase, tenant, unit, run, 'nobody', database_user, reason, ticket, details, tool, previous, '' from ${AUDIT} where seq = 6`,
      `update ${AUDIT} a set hash = tenantctl_catalog.audit_hash(a) where seq = ${last + 1}`,
      `update ${HEAD} h set seq = ${last + 1}, hash = a.hash from ${AUDIT} a where a.seq = ${last + 1}`,
    );
    const { differences } = await verify();
    expect(differences).toMatchObject([{ kind: 'forked', seq: last + 1 }]);
    expect(differences[0]?.message).toContain(`follows entry 5, not entry ${last}`);
  });

  test('a last entry that was deleted', async () => {
    await log.current.write(10);
    const last = await log.current.last();
    await log.current.tamper(`delete from ${AUDIT} where seq = ${last}`);
    expect(await found()).toEqual([{ kind: 'truncated', seq: last }]);
  });

  test('a head that names another hash, an earlier entry, or nothing', async () => {
    await log.current.write(10);
    const last = await log.current.last();
    await log.current.tamper(`update ${HEAD} set hash = repeat('1', 64)`);
    expect(await found()).toEqual([{ kind: 'head', seq: last }]);
    await log.current.tamper(`update ${HEAD} set seq = 3`);
    expect(await found()).toEqual([{ kind: 'head', seq: last }]);
    await log.current.tamper(`delete from ${HEAD}`);
    expect(await found()).toEqual([{ kind: 'head', seq: last }]);
  });
});

describe('against a checkpoint outside the database is found out:', () => {
  const setBack = (to: number) => [
    `delete from tenantctl_catalog.audit_checkpoints where seq > ${to}`,
    `delete from ${AUDIT} where seq > ${to}`,
    `update ${HEAD} h set seq = a.seq, hash = a.hash from ${AUDIT} a where a.seq = ${to}`,
  ];

  test('a deleted last entry with the head set back, which the chain alone cannot tell', async () => {
    await log.current.write(10);
    const last = await log.current.last();
    await checkpoint();
    await log.current.tamper(...setBack(last - 1));
    const { differences } = await verify();
    expect(differences).toMatchObject([{ kind: 'truncated', seq: last }]);
    expect(differences[0]?.message).toContain(`knows entry ${last}, but the log ends with entry ${last - 1}`);
    expect(
      await verifyAudit(log.current.fleet, { file: `${log.current.file}.none`, keys: [] }),
    ).toMatchObject({
      ok: true,
    });
  });

  test('a log that was cut and has grown again', async () => {
    await log.current.write(10);
    const last = await log.current.last();
    await checkpoint();
    await log.current.tamper(...setBack(4));
    await log.current.write(20);
    expect(await found()).toEqual([{ kind: 'replaced', seq: last }]);
  });

  test('a log that was written anew from an entry on, every hash made to fit', async () => {
    await log.current.write(10);
    const last = await log.current.last();
    await checkpoint();
    await log.current.tamper(`update ${AUDIT} set actor = 'nobody' where seq = 5`, rechain(5));
    expect(await found()).toEqual([{ kind: 'replaced', seq: last }]);
  });

  test('an emptied log', async () => {
    await log.current.write(10);
    await checkpoint();
    await log.current.tamper(
      `truncate ${AUDIT} cascade`,
      `update ${HEAD} set seq = 0, hash = repeat('0', 64)`,
    );
    const outcome = await verify();
    expect(outcome).toMatchObject({ ok: false, entries: 0, differences: [{ kind: 'truncated', seq: 1 }] });
  });
});

describe('a checkpoint file that is not as it was written is found out:', () => {
  const lines = () => readFileSync(log.current.file, 'utf8').split('\n').slice(0, -1);
  const rewrite = (...changed: string[]) => writeFileSync(log.current.file, `${changed.join('\n')}\n`);

  test('a line that no key of ours has signed', async () => {
    await log.current.write(3);
    await checkpoint();
    const { differences } = await verify([parsePublicKey(parseSigningKey(generateSigningKey()).publicKey)]);
    expect(differences).toMatchObject([{ kind: 'checkpoint-signature' }]);
    expect(differences[0]?.message).toContain('which was not given');
  });

  test('a line with another number, hash or time under the old signature', async () => {
    await log.current.write(3);
    await checkpoint();
    const [line = ''] = lines();
    const { at } = JSON.parse(line) as { at: string };
    rewrite(line.replace(at, '2020-01-01T00:00:00.000Z'), line.replace(/"seq":\d+/, '"seq":2'));
    expect((await found()).map(({ kind }) => kind)).toEqual(['checkpoint-signature', 'checkpoint-signature']);
  });

  test('a line that is broken, and one that was not written to its end', async () => {
    await log.current.write(3);
    await checkpoint();
    const [line = ''] = lines();
    rewrite('not json', line);
    appendFileSync(log.current.file, line.slice(0, 40));
    const { differences } = await verify();
    expect(differences).toMatchObject([
      { kind: 'checkpoint-unreadable', message: 'line 1 of the checkpoint file is not a checkpoint' },
      { kind: 'checkpoint-unreadable', message: 'line 3 of the checkpoint file was not written to its end' },
    ]);
  });

  test('without a key the entries are compared all the same, and it says that signatures were not', async () => {
    await log.current.write(3);
    await checkpoint();
    expect(await verify([])).toMatchObject({
      ok: true,
      checkpoints: { inFile: 1, signatures: 'not checked' },
    });
    await log.current.tamper(`update ${AUDIT} set actor = 'nobody' where seq = 2`, rechain(2));
    expect((await verify([])).differences).toMatchObject([{ kind: 'replaced' }]);
  });
});

test('fifty thousand entries are verified page by page, in a memory that does not grow with them', async () => {
  const { fleet } = log.current;
  await log.current.grow(50_000);
  await verify();
  const pages: number[] = [];
  const before = process.memoryUsage().heapUsed;
  let peak = 0;
  const walk = await fleet.catalog(async (connection) => {
    const listening = Object.create(connection) as typeof connection;
    listening.rows = async <Row>(statement: Sql) => {
      const rows = await connection.rows<Row>(statement);
      pages.push(rows.length);
      peak = Math.max(peak, process.memoryUsage().heapUsed - before);
      return rows;
    };
    return walkChain(listening);
  });
  expect(walk).toMatchObject({ entries: await log.current.last(), differences: [] });
  expect(pages.length).toBeGreaterThan(20);
  expect(Math.max(...pages)).toBeLessThanOrEqual(2_000);
  expect(peak).toBeLessThan(64 * 1024 * 1024);
});
