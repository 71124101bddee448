import { expect, it } from 'vitest';
import { checkMigrations } from '../../../src/operations/check/migrations.js';
import { directoryOf } from '../ledger/directory.js';

const SETTINGS = {
  migrations: { format: 'auto', onForeignSchema: 'refuse' },
  tenancy: { column: 'tenant_id', shared: [], rls: 'enforce', extensionsSchema: 'extensions' },
  plans: {},
};

async function found(sql: string) {
  const directory = directoryOf({ '0001_step.sql': sql });
  const migrations = { ...SETTINGS.migrations, directory };
  const { findings } = await checkMigrations({ ...SETTINGS, migrations } as never);
  return findings;
}

it(
  'files of 5 MB are read in seconds: rows one by one, thousands of tables, and other scripts',
  { timeout: 120_000 },
  async () => {
    const rows = Array.from(
      { length: 35_000 },
      (_, n) =>
        `insert into item (tenant_id, id, note) values ('00000000-0000-0000-0000-000000000001', ${n}, 'long enough; — with a semicolon');`,
    );
    const tables = Array.from(
      { length: 5_000 },
      (_, n) =>
        `create table t${n} (tenant_id uuid not null, id bigint, primary key (tenant_id, id)); create index on t${n} (tenant_id, id);`,
    );
    const began = process.cpuUsage();
    expect(await found([...tables, ...rows].join('\n'))).toEqual([]);
    const { user } = process.cpuUsage(began);
    expect(user / 1e6).toBeLessThan(25);
  },
);
