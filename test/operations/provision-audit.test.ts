import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { FleetSettings } from '../../src/core/settings.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { newFleet } from '../support/fleet.js';
import { query, useServer, withClient } from '../support/server.js';
import { Crash, PLANS, crashAt, withFleet } from './provision-support.js';

const server = useServer();

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

interface AuditRow {
  seq: number;
  at: string;
  action: string;
  phase: string;
  tenant: string | null;
  unit: string | null;
  run: string | null;
  actor: string;
  database_user: string;
  reason: string | null;
  ticket: string | null;
  details: Json;
  tool: string;
  previous: string;
  hash: string;
}

const auditOf = (settings: FleetSettings) =>
  query<AuditRow>(
    settings.catalogUrl,
    `select seq::int, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, action, phase, tenant, unit, run,
       actor, database_user, reason, ticket, details, tool, previous, hash from tenantctl_catalog.audit order by seq`,
  );

/** JSON as PostgreSQL prints jsonb: keys by length and then by bytes, a space after colon and comma. */
function jsonbText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(jsonbText).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const keys = Object.keys(value).map((key) => Buffer.from(key));
  const sorted = keys.toSorted((a, b) => a.length - b.length || a.compare(b)).map(String);
  return `{${sorted.map((key) => `${JSON.stringify(key)}: ${jsonbText(value[key] ?? null)}`).join(', ')}}`;
}

/** The chain as anyone can recompute it from the rows alone. */
function brokenAt(rows: readonly AuditRow[]): number | null {
  let previous = '0'.repeat(64);
  for (const [at, { hash, previous: claimed, ...entry }] of rows.entries()) {
    const expected = createHash('sha256')
      .update(previous)
      .update(jsonbText({ ...entry }))
      .digest('hex');
    if (claimed !== previous || hash !== expected || entry.seq !== at + 1) return entry.seq;
    previous = hash;
  }
  return null;
}

const ACTOR = {
  actor: 'jo "the" o\'neil',
  reason: 'contract signed; drop table x; -- ü',
  ticket: 'OPS-1\\2',
};

describe('the audit log of a provisioning', () => {
  it.each(PLANS)(
    'has the intent before and the outcome after, with who and why, in tier %s',
    async (_, plan) => {
      const { settings } = await newFleet(server.current);
      await withFleet(settings, { actor: ACTOR }, async (fleet) => {
        const { tenant } = await provisionTenant(fleet, { id: 'acme', plan });
        await provisionTenant(fleet, { id: 'acme', plan });
        const rows = (await auditOf(settings)).filter((row) => row.tenant === 'acme');
        const unit = tenant.pool === null ? `${tenant.tier}:acme` : `pool:${tenant.pool}`;
        const common = { ...ACTOR, action: 'tenant.provision', unit, database_user: 'tenantctl_admin' };
        const place = { tier: tenant.tier, cluster: 'main', plan };
        expect(rows).toMatchObject([
          { ...common, phase: 'intent', details: place },
          { ...common, phase: 'done' },
        ]);
      });
    },
  );

  it('keeps an intent whose process died, and one outcome however often it was tried', async () => {
    const { settings } = await newFleet(server.current);
    for (const point of ['provision.recorded', 'provision.migrated', 'provision.seeded']) {
      await withFleet(settings, { reach: crashAt(point) }, async (fleet) => {
        await expect(provisionTenant(fleet, { id: 'acme', plan: 'pro' })).rejects.toThrow(Crash);
      });
    }
    expect((await auditOf(settings)).map(({ phase }) => phase)).toEqual(['done', 'intent']);
    await withFleet(settings, {}, (fleet) => provisionTenant(fleet, { id: 'acme' }));
    expect((await auditOf(settings)).map(({ phase }) => phase)).toEqual(['done', 'intent', 'done']);
  });

  it('is one chain, whoever writes at the same time, and can be recomputed from its rows', async () => {
    const { fleet, settings, another } = await newFleet(server.current, { seed: null });
    const views = [fleet, another(), another()];
    const ids = Array.from({ length: 24 }, (_, at) => `t${at}`);
    await Promise.all(ids.map((id, at) => provisionTenant(views[at % 3] ?? fleet, { id, plan: 'free' })));
    const rows = await auditOf(settings);
    expect(rows).toHaveLength(1 + 2 * ids.length);
    expect(brokenAt(rows)).toBeNull();
    const head = await query(settings.catalogUrl, 'select seq::int, hash from tenantctl_catalog.audit_head');
    expect(head).toEqual([{ seq: rows.at(-1)?.seq, hash: rows.at(-1)?.hash }]);
    const forged = rows.map((row) => (row.seq === 7 ? { ...row, actor: 'nobody' } : row));
    expect(brokenAt(forged)).toBe(7);
    expect(brokenAt(rows.filter(({ seq }) => seq !== 9))).toBe(10);
  });

  it('cannot be changed, shortened or emptied', async () => {
    const { fleet, settings } = await newFleet(server.current, { seed: null });
    await provisionTenant(fleet, { id: 'acme', plan: 'free' });
    await withClient(settings.catalogUrl, async (client) => {
      for (const statement of [
        `update tenantctl_catalog.audit set actor = 'nobody'`,
        'delete from tenantctl_catalog.audit',
        'truncate tenantctl_catalog.audit cascade',
        'delete from tenantctl_catalog.audit_head',
        'truncate tenantctl_catalog.audit_head',
      ]) {
        await expect(client.query(statement), statement).rejects.toMatchObject({ code: 'TC020' });
      }
    });
    expect(brokenAt(await auditOf(settings))).toBeNull();
  });
});
