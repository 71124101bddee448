import type { Finding } from '../../../core/finding.js';
import { modeOf } from '../../../core/pool-rules.js';
import type { LintRule, LintSettings } from '../rule.js';
import { isTenants, pooledTables } from '../tenant-tables.js';

export const poolTableWithoutPolicy: LintRule = {
  name: 'pool-table-without-policy',
  check: 'migrations',
  level: 'error',
  summary: 'A pool table gets no row-level security, and the `rls` of a pool does not have the tool add it.',
  explanation:
    'With `rls: enforce`, of `tenancy` or of the pool, the tool adds policies and FORCE in the transaction of the migration, and there is no finding. With `require` a table without them is refused; with `observe` it stands open to every tenant of the pool, unless the pool lists it under `enforce`.',
  remedy:
    'Write ENABLE and FORCE ROW LEVEL SECURITY and a policy, or have the tool do it with `rls: enforce`.',
  bad: 'create table note (tenant_id uuid not null, id bigint, body text, primary key (tenant_id, id));',
  good: `create table note (tenant_id uuid not null, id bigint, body text, primary key (tenant_id, id));
alter table note enable row level security;
alter table note force row level security;
create policy note_tenant on note using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  file: (scene) => {
    return pooledTables(scene)
      .filter(({ table }) => isTenants(table, scene))
      .flatMap(({ table, at }) => {
        const level = gravest(scene.settings, table.name);
        if (level === undefined) return [];
        const missing = [
          ...(table.policies ? [] : ['policy']),
          ...(table.secured ? [] : ['ENABLE ROW LEVEL SECURITY']),
          ...(table.forced ? [] : ['FORCE ROW LEVEL SECURITY']),
        ];
        if (missing.length === 0) return [];
        return {
          at,
          level,
          message: `${table.name} holds rows of tenants and has no ${missing.join(', no ')}.`,
        };
      });
  },
};

/** A file goes to every pool, so the one that bears least decides. */
function gravest({ pools, tenancy }: LintSettings, table: string): Finding['level'] | undefined {
  const rules = pools ?? [{ mode: tenancy.rls, enforce: [] }];
  const modes = new Set(rules.map((pool) => modeOf(pool, table)));
  if (modes.has('require')) return 'error';
  return modes.has('observe') ? 'warning' : undefined;
}
