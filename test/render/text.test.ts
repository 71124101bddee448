import { describe, expect, it } from 'vitest';
import type { RunPlan, RunReport } from '../../src/core/report.js';
import type { Tenant } from '../../src/core/tenant.js';
import { chooseColors } from '../../src/render/colors.js';
import { fleetStatusText } from '../../src/render/fleet-text.js';
import { explanationText } from '../../src/render/explanation-text.js';
import { recordsTable, recordText } from '../../src/render/records.js';
import { runPlanText, runReportText, stepsText } from '../../src/render/run-text.js';
import { tenantDetailText, tenantsText, tenantText } from '../../src/render/tenant-text.js';

const colors = chooseColors({ env: {}, isTTY: false, refused: false });

const acme: Tenant = {
  id: 'acme',
  key: 'k-1',
  status: 'active',
  tier: 'schema',
  plan: 'pro',
  cluster: 'main',
  database: 'app',
  schema: 'tenant_acme',
  pool: null,
  version: { id: 14, name: '0014_activity' },
  labels: { ring: 'canary' },
  owner: null,
  epoch: 1,
  createdAt: '2026-01-01T00:00:00Z',
};

describe('tenants', () => {
  it('as a text', () => expect(tenantText(acme)).toMatchSnapshot());

  it('as a list', () => {
    const pooled: Tenant = { ...acme, id: 'b', tier: 'pool', pool: 'shared', plan: null, version: null };
    expect(tenantsText({ tenants: [acme, pooled], next: 'b' })).toMatchSnapshot();
    expect(tenantsText({ tenants: [], next: null })).toBe('no tenants');
  });

  it('with all that is known', () => {
    const ledger = [{ id: 1, name: 'init', appliedAt: '2026-01-01' }];
    const detail = { tenant: acme, ledger, history: [], move: null, offboarding: null, held: [] };
    expect(tenantDetailText(detail)).toContain('Ledger\nID  NAME  APPLIED AT');
    const hold = {
      hold: 'h',
      tenant: 'acme',
      reason: 'case 17',
      author: 'legal',
      placedAt: '2026-01-01T00:00:00Z',
    };
    expect(tenantDetailText({ ...detail, held: [hold] })).toContain(
      'On hold\nsince 2026-01-01T00:00:00Z by legal: case 17',
    );
  });
});

describe('runs', () => {
  const report: RunReport = {
    run: 'r-1',
    kind: 'migrate',
    status: 'partial',
    reason: null,
    held: [],
    to: { id: 14, name: '0014_activity' },
    totals: {
      units: 30,
      tenants: 1_000,
      succeeded: 5,
      failed: 22,
      skipped: 0,
      rolledBack: 0,
      pending: 3,
      current: 0,
    },
    waves: [
      { name: 'canary', status: 'succeeded', units: 5, succeeded: 5, failed: 0, durationMs: 5 },
      { name: 'rest', status: 'failed', units: 25, succeeded: 0, failed: 22, durationMs: 5 },
    ],
    failures: Array.from({ length: 22 }, (_, at) => ({
      unit: `schema:t${at}`,
      wave: 'rest',
      tenants: [`t${at}`],
      code: 'MIGRATION_FAILED',
      migration: '0014_activity',
      sqlstate: '42P07',
      message: `schema:t${at}: 0014.sql:3:1: relation exists\n3 | create table x ();\n    ^`,
      file: '0014_activity.sql',
      line: 3,
      attempts: 1,
    })),
    skipped: [{ unit: 'schema:pinned', reason: 'pinned at 0012' }],
    durationMs: 61_000,
  };

  it('say all in one line, then waves and failures', () => {
    expect(runReportText(report, colors)).toMatchSnapshot();
  });

  it('say when there was nothing to do', () => {
    const idle: RunReport = {
      ...report,
      run: null,
      status: 'succeeded',
      failures: [],
      waves: [],
      skipped: [],
    };
    idle.totals = { ...report.totals, units: 0, failed: 0, pending: 0, current: 1_200 };
    expect(runReportText(idle, colors)).toBe('nothing to do: 1,200 units already at 0014_activity');
  });

  it('are planned without a change', () => {
    const table = { lock: 'ACCESS EXCLUSIVE', blocks: 'readers and writers', scans: true } as const;
    const locks: RunPlan['migrations'][number]['locks'] = [
      { ...table, relation: 'invoice', rewrites: true },
      { ...table, relation: 'customer', rewrites: 'maybe' },
      { relation: null, lock: 'SHARE', blocks: 'writers', rewrites: false, scans: false },
      { relation: 'unnoticed', lock: 'ROW EXCLUSIVE', blocks: 'nothing', rewrites: false, scans: false },
    ];
    const migrations: RunPlan['migrations'] = [
      { id: 1, name: 'x', phase: 'expand', transactional: true, locks },
    ];
    const waves = [{ name: 'rest', units: ['a', 'b'], tenants: 9, checks: 0, bakeMs: 0, approve: false }];
    const rest = {
      skipped: [],
      held: [],
      losses: [],
      findings: [],
      predictedMs: null,
      current: 3,
      window: null,
    };
    expect(runPlanText({ ...rest, waves, migrations })).toMatchSnapshot();
    expect(runPlanText({ ...rest, waves: [], migrations: [] })).toContain(
      'Nothing to do: 3 units already there.',
    );
    expect(stepsText({ steps: ['make the schema'] })).toBe('1. make the schema\n\nNothing was changed.');
  });
});

describe('the fleet', () => {
  it('at a glance', () => {
    const status = {
      tiers: [{ tier: 'pool', units: 1, tenants: 10 }],
      versions: [{ version: 14, units: 1 }],
      behind: [],
      held: [],
      target: '0014_activity',
      runs: [],
      moves: [],
      due: [],
    };
    expect(fleetStatusText(status, colors)).toBe(
      'TIER  UNITS  TENANTS\npool  1      10\n\nVersions\nVERSION  UNITS\n14       1\n\nnothing is behind',
    );
  });
});

describe('records', () => {
  it('lose what could steer a terminal', () => {
    expect(recordText({ name: 'a\u001B[2Jb\nc', none: null, list: [1, 2], map: { a: 1 } })).toBe(
      'name  a[2Jb c\nnone  -\nlist  1, 2\nmap   a=1',
    );
    expect(recordsTable([])).toBe('');
  });
});

describe('an explanation', () => {
  const explain = (units: { unit: string; sentence: string }[]) =>
    explanationText({ run: 'r-1', sentence: 'It is paused.', waves: [], units, decisions: [], next: [] });
  const waiting = (n: number) =>
    Array.from({ length: n }, (_, index) => ({
      unit: `schema:s${index + 1}`,
      sentence: 'pending: it waits',
    }));

  it('says once what is so for many units', () => {
    const text = explain([{ unit: 'schema:bad', sentence: 'failed: 55P03' }, ...waiting(1_200)]);
    expect(text).toContain('  schema:bad: failed: 55P03\n');
    expect(text).toContain('  1,200 units (schema:s1 to schema:s1200): pending: it waits');
  });

  it('names a few units one by one', () => {
    expect(explain(waiting(3)).match(/schema:s\d: pending: it waits/g)).toHaveLength(3);
  });
});
