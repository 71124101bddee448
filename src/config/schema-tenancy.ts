import { Buffer } from 'node:buffer';
import * as z from 'zod';
import { MIGRATION_FORMATS, RLS_MODES } from '../core/settings.js';
import { identifier, oneOf, roleName, schemaName, text } from './kinds.js';
import { setting, typed } from './setting.js';

const ID = '{id}';
const LONGEST_ID = 48;
const GUC = /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)+$/;

/** A pattern for names: whatever id a tenant has, the name must be one that PostgreSQL keeps whole. */
function namePattern() {
  return text('a name with `{id}` in it')
    .refine((value) => value.split(ID).length === 2, 'must contain `{id}` exactly once')
    .refine((value) => !/[{}]/.test(value.replace(ID, '')), 'may hold `{id}` and no other braces')
    .refine(
      (value) => Buffer.byteLength(value) - ID.length + LONGEST_ID <= 63,
      'can give names longer than 63 bytes: beside `{id}` (up to 48) there is room for 15',
    )
    .refine(
      (value) => !value.startsWith('pg_'),
      'must not begin with pg_, which PostgreSQL keeps for itself',
    );
}

/** The name of a run-time parameter. Our own prefix is taken: a tenant must not be able to set the scope. */
function parameter() {
  return text('a parameter name such as `app.tenant_id`')
    .refine((value) => GUC.test(value), 'must look like prefix.name, for example app.tenant_id')
    .refine((value) => Buffer.byteLength(value) <= 63, 'is longer than 63 bytes')
    .refine(
      (value) => !/^tenantctl\./i.test(value),
      'must not begin with tenantctl., which this tool uses itself',
    );
}

export const migrations = setting(
  z
    .strictObject({
      directory: setting(
        text('a path').default('migrations'),
        'Folder of the migrations, relative to the file.',
      ),
      format: setting(
        oneOf([...MIGRATION_FORMATS, 'auto']).default('postgres-migrations'),
        'The tool whose files they are, or `auto`: the one that they plainly belong to.',
      ),
      onForeignSchema: setting(
        oneOf(['refuse', 'rewrite']).default('refuse'),
        'What happens to SQL that names `public` or another schema.',
      ),
    })
    .prefault({}),
  'The SQL files that every tenant gets.',
);

export const tenancy = setting(
  z
    .strictObject({
      column: setting(identifier().default('tenant_id'), 'Column that pool tables carry; other tiers may.'),
      columnType: setting(
        oneOf(['uuid', 'text', 'bigint', 'integer', 'varchar']).default('uuid'),
        'Type of that column.',
      ),
      setting: setting(parameter().default('app.tenant_id'), 'Run-time parameter that policies read.'),
      appRole: setting(roleName().default('app_user'), "The application's role in pools."),
      rls: setting(
        oneOf(RLS_MODES).default('enforce'),
        'Row-level security on pool tables: add what lacks, fail without it, report it, or leave it.',
      ),
      extensionsSchema: setting(
        schemaName().default('extensions'),
        'Schema of extensions, once per database, on every search path.',
      ),
      shared: setting(
        typed(z.array(identifier()).default([]), 'a list of table names'),
        'Pool tables without the tenant column that the application may write.',
      ),
      names: setting(
        z
          .strictObject({
            schema: setting(namePattern().default('tenant_{id}'), "Name of a tenant's schema."),
            database: setting(namePattern().default('tenant_{id}'), "Name of a tenant's database."),
          })
          .prefault({}),
        'Names of what is made for a tenant.',
      ),
    })
    .prefault({}),
  'How tenants are told apart and kept apart.',
);

export const provision = setting(
  z
    .strictObject({
      seed: setting(
        text('a path').optional(),
        'SQL file that runs once for each new tenant, relative to the file.',
      ),
    })
    .prefault({}),
  'What a new tenant gets beside the migrations.',
);
