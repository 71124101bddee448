import type { Finding } from '../../../core/finding.js';
import type { LintRule } from '../rule.js';
import { isTenants, pooledTables } from '../tenant-tables.js';

/** With `enforce` the tool adds what is missing; with `off` nobody wants it. */
const LEVELS: Readonly<Record<string, Finding['level']>> = { require: 'error', observe: 'warning' };

export const poolTableWithoutPolicy: LintRule = {
  name: 'pool-table-without-policy',
  check: 'migrations',
  level: 'error',
  summary: 'A pool table gets no row-level security, and `tenancy.rls` does not have the tool add it.',
  explanation:
    'With `tenancy.rls: enforce` the tool adds policies and FORCE in the transaction of the migration, and there is no finding. With `require` a table without them is refused; with `observe` it stands open to every tenant of the pool.',
  remedy: 'Write ENABLE and FORCE ROW LEVEL SECURITY and a policy, or set `tenancy.rls: enforce`.',
  bad: 'create table note (tenant_id uuid not null, id bigint, body text, primary key (tenant_id, id));',
  good: `create table note (tenant_id uuid not null, id bigint, body text, primary key (tenant_id, id));
alter table note enable row level security;
alter table note force row level security;
create policy note_tenant on note using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  file: (scene) => {
    const level = LEVELS[scene.settings.tenancy.rls];
    if (level === undefined) return [];
    return pooledTables(scene)
      .filter(({ table }) => isTenants(table, scene))
      .flatMap(({ table, at }) => {
        const missing = [
          ...(table.policies ? [] : ['a policy']),
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
