import type { LintRule } from '../rule.js';
import { isTenants, touchedTables } from '../tenant-tables.js';

export const poolKeyWithoutTenantColumn: LintRule = {
  name: 'pool-key-without-tenant-column',
  check: 'migrations',
  level: 'warning',
  summary:
    'A unique key of a pool table leaves the tenant column out: tenants get in each other’s way, and learn of each other’s rows.',
  explanation:
    'Uniqueness is checked below row-level security. A tenant whose insert fails with 23505 knows that another one has the value; with an e-mail address or a number that is information. A tenant can also not be moved into a pool where the value is taken. For keys of random uuids it matters little.',
  remedy: 'Begin the key with the tenant column.',
  bad: 'create table note (tenant_id uuid not null, id bigint, slug text unique, primary key (tenant_id, id));',
  good: 'create table note (tenant_id uuid not null, id bigint, slug text, primary key (tenant_id, id), unique (tenant_id, slug));',
  file: (scene) => {
    const { column } = scene.settings.tenancy;
    if (!scene.pooled) return [];
    return touchedTables(scene)
      .filter((table) => isTenants(table, scene))
      .flatMap(({ name: table, keys }) =>
        keys
          .filter(({ unique, columns }) => unique && !columns.includes(column))
          .filter(({ madeBy }) => madeBy === scene.script.migration.id)
          .map(({ name, columns, at }) => ({
            at,
            message: `${name} on ${table} is unique by ${inWords(columns)} for all tenants of a pool together; it leaves ${column} out.`,
          })),
      );
  },
};

const inWords = (columns: readonly string[]): string =>
  columns.filter((column) => column !== '').join(', ') || 'an expression';
