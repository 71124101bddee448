import { ident } from '../../../pg/sql.js';
import type { LintRule } from '../rule.js';
import { isTenants, pooledTables } from '../tenant-tables.js';

export const poolTableWithoutTenantIndex: LintRule = {
  name: 'pool-table-without-tenant-index',
  check: 'migrations',
  level: 'warning',
  summary:
    'No key or index of a pool table begins with the tenant column: every query reads the rows of all tenants.',
  explanation:
    'The policy adds `tenant_id = …` to each query. Without an index that begins with the column it is answered by reading the whole table, and exports, moves and deletions of one tenant read it as well.',
  remedy: 'Begin the primary key, or an index, with the tenant column.',
  bad: 'create table note (tenant_id uuid not null, body text);',
  good: 'create table note (tenant_id uuid not null, id bigint, body text, primary key (tenant_id, id));',
  file: (scene) => {
    const { column } = scene.settings.tenancy;
    return pooledTables(scene)
      .filter(({ table }) => isTenants(table, scene))
      .filter(({ table }) => !table.keys.some(({ columns }) => columns[0] === column))
      .map(({ table, at }) => ({
        at,
        message: `No key or index of ${table.name} begins with ${column}: each query of a pool reads the rows of all tenants.`,
        sql: [
          `create index ${ident(`${table.name}_${column}_idx`).text()} on ${ident(table.name).text()} (${ident(column).text()});`,
        ],
      }));
  },
};
