import { beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.js';
import { readXml } from '../render/xml-reader.js';
import { useServer } from '../support/server.js';
import { document } from './support.js';
import { type TwoClusters, twoClusters } from './two-clusters.js';

const server = useServer();
let fleet: TwoClusters;

beforeAll(async () => {
  fleet = await twoClusters(server.current);
});

/** A look of `--json` while cluster `eu` does not answer. */
async function look(...args: string[]) {
  const result = await fleet.run([...args, '--json'], { away: true });
  const { data, error } = document(result);
  return { code: result.code, error, data, findings: (data?.['findings'] ?? []) as Finding[] };
}

const errorsOf = (findings: readonly Finding[]) => findings.filter(({ level }) => level === 'error');

/** Makes one home differ from its like, and gives the way back. */
async function drift() {
  const index = `"s_${fleet.mark}_acme".invoice_note_idx`;
  await fleet.inside(`main_${fleet.mark}`, `drop index ${index}`);
  return () =>
    fleet.inside(
      `main_${fleet.mark}`,
      `create index invoice_note_idx on "s_${fleet.mark}_acme".invoice (tenant_id, note)`,
    );
}

describe.each(['check drift', 'check isolation', 'check all', 'doctor'])(
  '%s with one cluster away',
  (command) => {
    it('ends with exit 4, names what is away once for each check, and has looked at everything else', async () => {
      const { code, error, findings, data } = await look(...command.split(' '));
      expect(code).toBe(4);
      expect(error).toMatchObject({ code: 'NOT_ALL_REACHED', exit: 4 });
      const errors = errorsOf(findings);
      expect(errors).toHaveLength(command === 'check all' ? 2 : 1);
      for (const { rule, message, facts } of errors) {
        expect(['not-inspected', 'not-compared']).toContain(rule);
        expect(message).toContain('127.0.0.1:1');
        expect(facts.unreachable).toBe(true);
      }
      const { shapes, coverage } = (data ?? {}) as { shapes?: { units: number }[]; coverage?: Covered };
      if (shapes !== undefined) expect(shapes.reduce((sum, { units }) => sum + units, 0)).toBe(4);
      if (coverage !== undefined) {
        expect(coverage.probed).toBeGreaterThan(30);
        const away = coverage.notProbed.filter(({ where }) => where.startsWith('eu/'));
        expect(away.map(({ where }) => where)).toEqual([`eu/d_${fleet.mark}_port`, `eu/eu_${fleet.mark}`]);
      }
    });
  },
);

interface Covered {
  probed: number;
  notProbed: { where: string }[];
}

describe('a difference beside a place that is away', () => {
  it('is exit 8 for the check, which tells both, in text, JSON, SARIF and JUnit', async () => {
    const mended = await drift();
    const { code, error, findings } = await look('check', 'all', '--sarif', 'c.sarif', '--junit', 'c.xml');
    const text = await fleet.run(['check', 'drift'], { away: true });
    await mended();
    expect(code).toBe(8);
    expect(error).toMatchObject({ code: 'CHECK_FINDINGS', facts: { unreachable: expect.any(Array) } });
    expect(error?.message).toContain('2 places could not be reached');
    const rules = errorsOf(findings).map(({ rule }) => rule);
    expect(rules).toEqual(expect.arrayContaining(['not-inspected', 'not-compared']));
    expect(rules.length).toBeGreaterThan(2);
    expect(text.code).toBe(8);
    expect(text.stdout).toContain('error not-compared');
    const [run] = JSON.parse(fleet.read('c.sarif')).runs;
    expect(run.invocations[0]).toMatchObject({ executionSuccessful: false });
    expect(run.invocations[0].toolExecutionNotifications).toHaveLength(2);
    const { attributes } = readXml(fleet.read('c.xml'));
    expect(attributes).toMatchObject({ errors: '2' });
    expect(Number(attributes['failures'])).toBeGreaterThan(0);
  });
});

describe('a baseline', () => {
  it('never takes in what could not be looked at: writing it fails, and so does every look with it', async () => {
    const mended = await drift();
    const elsewhere = { rule: 'rls-off', where: `eu/eu_${fleet.mark}.app.invoice`, count: 1 };
    fleet.write('debts.json', JSON.stringify({ version: 1, checks: { isolation: [elsewhere] } }));
    const written = await fleet.run(['check', 'all', '--write-baseline', 'debts.json'], { away: true });
    const again = await look('check', 'all', '--baseline', 'debts.json');
    await mended();
    expect(written.code).toBe(4);
    const { checks } = JSON.parse(fleet.read('debts.json'));
    expect(checks.drift).toMatchObject([{ rule: 'shape-differs' }]);
    // What is there could not be looked at, so nobody has paid it.
    expect(checks.isolation).toContainEqual(elsewhere);
    expect(fleet.read('debts.json')).not.toMatch(/not-inspected|not-compared/);
    expect(again.code).toBe(4);
    expect(again.data?.['paid']).toEqual([]);
    expect(errorsOf(again.findings)).toHaveLength(2);
  });
});

it('one database that lets nobody in is told by name, and its neighbours are looked at', async () => {
  const database = `d_${fleet.mark}_corp`;
  await fleet.inside('postgres', `alter database "${database}" allow_connections false`);
  const looks = ['check drift', 'check isolation', 'doctor'];
  const seen = [];
  for (const command of looks) {
    const result = await fleet.run([...command.split(' '), '--json']);
    seen.push({ code: result.code, findings: errorsOf(document(result).data?.['findings'] as Finding[]) });
  }
  await fleet.inside('postgres', `alter database "${database}" allow_connections true`);
  for (const { code, findings } of seen) {
    expect(code).toBe(4);
    expect(findings.map(({ message }) => message)).toEqual([expect.stringContaining(database)]);
  }
});

it('a tenant whose role is gone counts as not probed, and is named', async () => {
  const covered = async () =>
    document(await fleet.run(['check', 'isolation', '--json'])).data?.['coverage'] as Covered & {
      probes: number;
    };
  const before = await covered();
  expect(before.probed).toBe(before.probes);
  const rename = (from: string, to: string) =>
    fleet.inside(
      `main_${fleet.mark}`,
      `do $$ declare r text; begin
         select role into r from tenantctl.placement where tenant = 'acme';
         execute format('alter role %I rename to %I', r || '${from}', r || '${to}'); end $$`,
    );
  await rename('', '_was');
  const after = await covered();
  await rename('_was', '');
  expect(after.notProbed).toEqual([
    {
      where: `main/main_${fleet.mark}.s_${fleet.mark}_acme`,
      reason: expect.stringMatching(/^role \S+ of tenant acme is not there: `tenantctl doctor` tells more$/),
    },
  ]);
  expect(after.probed).toBe(after.probes - 1);
});

it('files that cannot be read keep `check all` from comparing, and from nothing else', async () => {
  fleet.write('migrations/0002_broken.sql', 'creat table x ();');
  const result = await fleet.run(['check', 'all', '--json']);
  const alone = await fleet.run(['check', 'drift', '--json']);
  fleet.write('migrations/0002_broken.sql', 'select 1;');
  expect(result.code).toBe(8);
  const data = document(result).data as { findings: Finding[]; coverage: Covered };
  expect(data.findings.map(({ rule }) => rule)).toContain('not-compared');
  expect(data.coverage.probed).toBeGreaterThan(30);
  expect(alone.code).toBe(3);
});
