import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { TIERS } from '../../src/core/tier.js';
import type { Fleet } from '../../src/engine/context.js';
import { askTenant, askWithoutTenant } from '../../src/operations/ask.js';
import { provision } from '../../src/operations/provision.js';
import { runScript } from '../../src/operations/run-script.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { INVOICING, newFleet } from '../support/fleet.js';
import { useServer } from '../support/server.js';

const server = useServer();
const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-script-'));

const NO_MIGRATIONS = path.join(folder, 'migrations');
mkdirSync(NO_MIGRATIONS);

function script(text: string): string {
  const file = path.join(folder, 'fix.sql');
  writeFileSync(file, text);
  return file;
}

const CODES = 'select code from tax_rate order by code';
const ADD = `insert into tax_rate (country_code, code, label, percent) values ('DE', :code, :tenant_slug, 1);\n`;

async function makeTenants(fleet: Fleet, ...requests: [id: string, tier: 'pool' | 'schema' | 'database'][]) {
  for (const [id, tier] of requests) await provision(fleet, { id, tier }, { dryRun: false });
}

async function codesOf(fleet: Fleet, id: string): Promise<unknown[]> {
  const answer = await askTenant(fleet, id, CODES);
  return 'rows' in answer ? answer.rows.map(({ code }) => code) : [answer.refused];
}

describe('a script', () => {
  it.each(TIERS)('runs in the own session of a tenant in tier %s', async (tier) => {
    const { fleet } = await newFleet(server.current);
    await makeTenants(fleet, ['one', tier], ['two', tier]);
    const before = await codesOf(fleet, 'two');
    const file = script(ADD);
    const report = await runScript(fleet, 'one', { file, variables: { code: "o'ne" } });
    expect(report).toMatchObject({ tenant: 'one', statements: 1, rows: 1 });
    expect(await codesOf(fleet, 'one')).toContain("o'ne");
    expect(await codesOf(fleet, 'two')).toEqual(before);
  });

  it('leaves nothing behind when it fails, and says where it failed', async () => {
    const { fleet } = await newFleet(server.current);
    await makeTenants(fleet, ['one', 'schema']);
    const before = await codesOf(fleet, 'one');
    const file = script(`${ADD}select\n  nothing;\n`);
    await expect(runScript(fleet, 'one', { file, variables: { code: 'x' } })).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      exit: 7,
      message: expect.stringMatching(/fix\.sql:3:3: .*42703.*\n3 \|   nothing;\n +\^/) as string,
      facts: { line: 3, sqlstate: '42703' },
    });
    expect(await codesOf(fleet, 'one')).toEqual(before);
    const audited = await fleet.catalog((connection) =>
      connection.message(
        `select phase from tenantctl_catalog.audit where action = 'tenant.script' order by seq`,
      ),
    );
    expect(audited[0]?.rows).toEqual([{ phase: 'intent' }, { phase: 'failed' }]);
  });

  it.each(['commit;', 'select 1; begin;', 'selec 1;'])('is refused before it runs: %s', async (text) => {
    const { fleet } = await newFleet(server.current, { seed: null, migrations: NO_MIGRATIONS });
    await makeTenants(fleet, ['one', 'schema']);
    await expect(runScript(fleet, 'one', { file: script(text) })).rejects.toMatchObject({ exit: 3 });
  });

  it('is refused for a tenant that is not active', async () => {
    const { fleet } = await newFleet(server.current);
    await makeTenants(fleet, ['one', 'pool']);
    await suspendTenant(fleet, 'one', { dryRun: false });
    const file = path.join(INVOICING, 'seed.sql');
    await expect(runScript(fleet, 'one', { file })).rejects.toMatchObject({ code: 'TENANT_STATUS', exit: 5 });
  });
});

describe('a question', () => {
  it('that names no tenant gets no row of a pool', async () => {
    const { fleet } = await newFleet(server.current);
    await makeTenants(fleet, ['one', 'pool']);
    expect(await codesOf(fleet, 'one')).not.toEqual([]);
    expect(await askWithoutTenant(fleet, 'one', CODES)).toEqual({ rows: [] });
  });

  it('for a suspended tenant gets the refusal that its application would get', async () => {
    const { fleet } = await newFleet(server.current);
    await makeTenants(fleet, ['one', 'pool']);
    await suspendTenant(fleet, 'one', { dryRun: false });
    expect(await askTenant(fleet, 'one', CODES)).toMatchObject({ refused: { sqlstate: 'TC002' } });
  });
});
