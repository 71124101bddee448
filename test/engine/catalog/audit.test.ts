import { createHash } from 'node:crypto';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { sqlstateOf } from '../../../src/pg/errors.js';
import { withClient } from '../../support/server.js';
import { useCatalog } from './rows.js';

const catalog = useCatalog();
const WRITERS = 50;
const EACH = 4;
const HOSTILE = {
  text: 'Grüße 🎉 "x" \\ \n\t\u0001/消',
  long_key: [1, 0.5, -3e2, true, null],
  a: { bb: {}, c: [] },
};

interface Entry {
  seq: string;
  at: string;
  details: string;
  previous: string;
  hash: string;
  [column: string]: string | null;
}

const ENTRY = `select seq::text, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, action, phase, tenant,
  unit, run, actor, database_user, reason, ticket, details::text as details, tool, previous, hash
  from tenantctl_catalog.audit a order by a.seq`;

const readAudit = (): Promise<Entry[]> =>
  withClient(catalog.url, async (client) => (await client.query<Entry>(ENTRY)).rows);

const WRITE = `insert into tenantctl_catalog.audit (seq, at, action, actor, database_user, details, tool, previous, hash)
  values (1, '2000-01-01', $1, 'suite', 'nobody', $2, 'suite', 'forged', $3)`;

beforeAll(async () => {
  const writers = Array.from({ length: WRITERS }, () => new pg.Client({ connectionString: catalog.url }));
  await Promise.all(writers.map((writer) => writer.connect()));
  await Promise.all(
    writers.map(async (writer, number) => {
      for (let turn = 0; turn < EACH; turn += 1) {
        await writer.query('begin');
        await writer.query(WRITE, [`test.${number}.${turn}`, HOSTILE, `${number}.${turn}`]);
        // Every third change fails after its entry: the entry goes with it.
        await writer.query(turn === 2 ? 'rollback' : 'commit');
      }
    }),
  );
  await Promise.all(writers.map((writer) => writer.end()));
});

describe('the audit log of fifty writers at once', () => {
  test('has an entry for each change that was kept, numbered without a gap', async () => {
    const entries = await readAudit();
    const [installed, ...written] = entries;
    expect(installed?.['action']).toBe('catalog.install');
    expect(written).toHaveLength(WRITERS * (EACH - 1));
    expect(entries.map(({ seq }) => Number(seq))).toEqual(entries.map((_, index) => index + 1));
  });

  test('is one chain without a fork, as anyone can compute outside the database', async () => {
    const entries = await readAudit();
    let previous = '0'.repeat(64);
    for (const entry of entries) {
      expect(entry.previous).toBe(previous);
      expect(entry.hash).toBe(hashOf(entry));
      previous = entry.hash;
    }
    const head = await withClient(catalog.url, (client) =>
      client.query('select seq::int, hash from tenantctl_catalog.audit_head'),
    );
    expect(head.rows).toEqual([{ seq: entries.length, hash: previous }]);
  });

  test('takes number, time, user and hash from the database, whatever the writer says', async () => {
    const written = (await readAudit()).slice(1);
    expect(new Set(written.map(({ database_user: user }) => user))).not.toContain('nobody');
    expect(written.filter(({ at }) => at.startsWith('2000'))).toEqual([]);
    expect(written.filter(({ previous }) => previous === 'forged')).toEqual([]);
  });
});

describe('the audit log', () => {
  test.each([
    [`update tenantctl_catalog.audit set actor = 'somebody'`],
    ['update tenantctl_catalog.audit set seq = seq'],
    ['delete from tenantctl_catalog.audit where seq = 1'],
    ['truncate tenantctl_catalog.audit cascade'],
    ['delete from tenantctl_catalog.audit_head'],
    ['truncate tenantctl_catalog.audit_head'],
  ])('is append-only: %s is refused', async (statement) => {
    const before = await readAudit();
    const error = await withClient(catalog.url, (client) => client.query(statement)).catch(
      (failure: unknown) => failure,
    );
    expect(sqlstateOf(error)).toBe('TC020');
    expect(await readAudit()).toEqual(before);
  });
});

/** The documented hash: sha256 over the hash before it and the entry as PostgreSQL writes jsonb. */
function hashOf({ previous, hash: _hash, seq, details, ...rest }: Entry): string {
  const entry = { ...rest, seq: Number(seq), details: JSON.parse(details) as unknown };
  return createHash('sha256')
    .update(previous + jsonb(entry), 'utf8')
    .digest('hex');
}

/** jsonb in its own spelling: shorter keys first, then by bytes; a blank after colons and commas. */
function jsonb(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonb).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort(
    (a, b) => Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const members = keys.map(
    (key) => `${JSON.stringify(key)}: ${jsonb((value as Record<string, unknown>)[key])}`,
  );
  return `{${members.join(', ')}}`;
}
