import { expect, test } from 'vitest';
import { type AuditPage, listAudit } from '../../../src/operations/audit/list.js';
import type { AuditQuery } from '../../../src/engine/audit/log.js';
import { useLog } from './log.js';

const log = useLog();
const ALL: AuditQuery = { tenant: null, actor: null, since: null, limit: 100, after: null };
const list = (query: Partial<AuditQuery>): Promise<AuditPage> =>
  listAudit(log.current.fleet, { ...ALL, ...query });
const numbers = ({ entries }: AuditPage) => entries.map(({ seq }) => seq);

test('the newest entries come last, and without a place to begin they are the end of the log', async () => {
  await log.current.write(20);
  const last = await log.current.last();
  const page = await list({ limit: 3 });
  expect(numbers(page)).toEqual([last - 2, last - 1, last]);
  expect(page.next).toBe(null);
});

test('pages from the beginning hold every entry once', async () => {
  await log.current.write(25);
  const seen: number[] = [];
  for (let after: number | null = 0; after !== null;) {
    const page: AuditPage = await list({ limit: 7, after });
    seen.push(...numbers(page));
    after = page.next;
  }
  expect(seen).toEqual(Array.from({ length: await log.current.last() }, (_, at) => at + 1));
});

test('entries are chosen by tenant, actor and time', async () => {
  await log.current.write(12);
  expect((await list({ tenant: 't1' })).entries.every(({ tenant }) => tenant === 't1')).toBe(true);
  expect((await list({ tenant: 't1', actor: 'jo' })).entries.map(({ details }) => details['n'])).toEqual([
    4, 10,
  ]);
  const { entries } = await list({});
  const at = entries.at(-1)?.at ?? '';
  expect(numbers(await list({ since: { at: '2999-01-01T00:00:00Z' } }))).toEqual([]);
  expect(numbers(await list({ since: { at } })).at(-1)).toBe(await log.current.last());
  expect(numbers(await list({ since: { agoMs: 3_600_000 } }))).toEqual(numbers({ entries, next: null }));
});

test('an entry tells everything that was recorded', async () => {
  await log.current.write(1);
  const { entries } = await list({ limit: 1 });
  expect(entries[0]).toEqual({
    seq: await log.current.last(),
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    action: 'test.change',
    phase: 'done',
    tenant: 't1',
    unit: null,
    run: null,
    actor: 'kim',
    databaseUser: expect.any(String) as string,
    reason: 'Grüße "x" \\ 🎉',
    ticket: null,
    details: { n: 1, half: 0.5 },
    tool: 'suite',
    hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
});
