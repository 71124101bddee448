import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { INVOICING } from '../../support/fleet.js';
import { directoryOf } from '../ledger/directory.js';
import { FAULTS, lintExample } from './examples.js';

const SQUAWK = fileURLToPath(new URL('../../../node_modules/squawk-cli/js/bin/squawk', import.meta.url));

/** Rules of squawk about locks, rewrites and running releases, and ours that say the same. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  'adding-field-with-default': ['volatile-default', 'table-rewrite'],
  'adding-foreign-key-constraint': ['foreign-key-checked-at-once'],
  'adding-not-nullable-field': ['set-not-null-scan'],
  'adding-required-field': ['not-null-without-default'],
  'adding-serial-primary-key-field': ['table-rewrite', 'key-built-under-lock'],
  'ban-alter-domain-with-add-constraint': ['domain-constraint-scan'],
  'ban-concurrent-index-creation-in-transaction': ['concurrently-in-transaction', 'concurrently-not-alone'],
  'ban-drop-column': ['drop-column'],
  'ban-drop-database': ['cluster-object'],
  'ban-drop-table': ['drop-table'],
  'ban-truncate-cascade': ['truncate-table'],
  'ban-uncommitted-transaction': ['own-transaction'],
  'changing-column-type': ['column-type-change'],
  'constraint-missing-not-valid': [
    'check-without-not-valid',
    'foreign-key-checked-at-once',
    'key-built-under-lock',
    'validate-in-same-transaction',
  ],
  'disallowed-unique-constraint': ['key-built-under-lock'],
  'renaming-column': ['rename-column'],
  'renaming-table': ['rename-table'],
  'require-concurrent-index-creation': ['index-without-concurrently'],
  'require-concurrent-index-deletion': ['index-drop-without-concurrently'],
  'require-concurrent-partition-detach': ['detach-partition-without-concurrently'],
  'require-concurrent-reindex': ['reindex-without-concurrently'],
  'transaction-nesting': ['own-transaction'],
};

/** Rules of squawk that have no counterpart; docs/explanation/check-differences.md says why. */
const LEFT_OUT = new Set([
  'ban-char-field',
  'ban-create-domain-with-constraint',
  'ban-drop-not-null',
  'identifier-too-long',
  'prefer-bigint-over-int',
  'prefer-bigint-over-smallint',
  'prefer-identity',
  'prefer-robust-stmts',
  'prefer-text-field',
  'prefer-timestamp-tz',
  'require-enum-value-ordering',
  'require-lock-timeout',
  'require-statement-timeout',
  'syntax-error',
]);

/** Where a rule of squawk speaks and ours is silent on purpose. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'alter table customer alter column email type text': 'the old type is known, and reads as the new one',
  'alter table invoice add column ref bigint references customer_number (id)':
    'a new column without a default has no rows to look up',
  'alter domain percentage add constraint low check (value < 9) not valid': 'no row is read',
  'alter table invoice alter column id set not null': 'the column is NOT NULL already',
};

interface Told {
  rule: string;
  line: number;
}

interface SquawkFinding {
  file: string;
  line: number;
  rule_name: string;
}

/** What squawk says of files, by their names, each in a transaction or not, as this tool runs it; null where it does not run. */
function squawk(files: Record<string, string>): Map<string, Told[]> | null {
  const folder = directoryOf(files);
  const told = new Map<string, Told[]>(Object.keys(files).map((name) => [name, []]));
  const alone = Object.keys(files).filter(
    (name) => files[name]?.includes('tenantctl: no-transaction') === true,
  );
  const together = Object.keys(files).filter((name) => !alone.includes(name));
  for (const [names, flags] of [
    [alone, []],
    [together, ['--assume-in-transaction']],
  ] as const) {
    const paths = names.map((name) => path.join(folder, name));
    const args = [SQUAWK, '--reporter', 'json', '--pg-version', '15', ...flags, ...paths];
    if (paths.length === 0) continue;
    const { stdout, error, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (error !== undefined || (status ?? 2) > 1) return null;
    for (const { file, line, rule_name: rule } of JSON.parse(stdout) as SquawkFinding[])
      told.get(path.relative(folder, file))?.push({ rule, line: line + 1 });
  }
  return told;
}

const STATEMENTS = [
  'alter table invoice add column x float default random()',
  'alter table invoice add column x uuid default gen_random_uuid()',
  'alter table invoice add column x timestamptz default now()',
  'alter table invoice add column x int default 1',
  'alter table invoice add column x bigserial',
  'alter table invoice add column x int generated always as (1) stored',
  'alter table invoice add column x text not null',
  "alter table invoice add column x text not null default ''",
  'alter table invoice add column x int check (x > 0)',
  'alter table invoice add column x int unique',
  'alter table activity_2025 add column x bigserial primary key',
  'alter table invoice add constraint c check (total > 0)',
  'alter table invoice add constraint c check (total > 0) not valid',
  'alter table invoice add constraint c unique (tenant_id, number)',
  'alter table activity_2025 add primary key (tenant_id, occurred_on)',
  'alter table invoice add constraint c foreign key (tenant_id, customer_id) references customer (tenant_id, id)',
  'alter table invoice add constraint c exclude (number with =)',
  'alter table invoice alter column number set not null',
  'alter table invoice alter column total type numeric(14,4)',
  'alter table invoice alter column status drop not null',
  'alter table invoice alter column number type uuid using number::uuid',
  'alter table invoice drop constraint invoice_pkey',
  'alter table invoice drop column status, drop column number',
  'alter table invoice rename to bill',
  'alter table invoice rename column status to state',
  'alter table invoice set logged',
  'alter table activity detach partition activity_2026',
  'create index on invoice (tenant_id, number)',
  'create unique index n on invoice (tenant_id, number)',
  'create index a on activity (what)',
  'drop index invoice_status_idx',
  'drop table invoice cascade',
  'drop view if exists nothing',
  'reindex table invoice',
  'reindex index invoice_status_idx',
  'truncate customer cascade',
  'vacuum full invoice',
  'cluster invoice using invoice_pkey',
  'refresh materialized view revenue',
  'drop database other',
  'alter domain percentage add constraint low check (value < 9)',
  'begin',
  'create table x (id bigint primary key, n int unique, c bigint references customer_number (id)); create index x_n on x (n)',
  ...Object.keys(DIFFERENT),
];

async function missing(files: Record<string, string>, told: Map<string, Told[]>): Promise<string[]> {
  const found: string[] = [];
  for (const [name, sql] of Object.entries(files)) {
    const ours = await lintExample(sql);
    for (const { rule, line } of told.get(name) ?? []) {
      const same = OURS[rule];
      if (same === undefined && !LEFT_OUT.has(rule))
        found.push(`squawk has a rule ${rule}, which is not known here`);
      const seen = ours.some(
        (finding) => same?.includes(finding.rule) === true && isAt(finding.facts.line, line, sql),
      );
      if (same !== undefined && !seen) found.push(`${rule}: ${sql.split('\n')[line - 1]}`);
    }
  }
  return found;
}

/** Squawk tells the line of a part of a statement, and this tool that of its beginning. */
const isAt = (ours: number | undefined, theirs: number, sql: string): boolean =>
  ours !== undefined &&
  ours <= theirs &&
  !sql
    .split('\n')
    .slice(ours - 1, theirs - 1)
    .some((line) => line.includes(';'));

const runs = squawk({ 'x.sql': 'select 1;' }) !== null;
/** Seen in the report as skipped, where there is no binary for the platform. */

test.skipIf(!runs)('squawk finds nothing in the faults that is not found here', async () => {
  const names = readdirSync(FAULTS).filter((name) => !['base.sql', 'files-not-in-order.sql'].includes(name));
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, FAULTS), 'utf8')]));
  expect(await missing(files, squawk(files)!)).toEqual([]);
});

test.skipIf(!runs)(
  'where squawk warns of a statement, so does a rule here, but for the differences that are listed',
  async () => {
    const files = Object.fromEntries(STATEMENTS.map((sql, index) => [`${index}.sql`, `${sql};`]));
    const found = await missing(files, squawk(files)!);
    const statements = found.map((line) => line.slice(line.indexOf(': ') + 2, -1));
    expect(statements.sort()).toEqual(Object.keys(DIFFERENT).sort());
  },
);

test.skipIf(!runs)(
  'in the sample product squawk warns of nothing but what is allowed there or done in the contract phase',
  async () => {
    const folder = path.join(INVOICING, 'migrations');
    const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
    const files = Object.fromEntries(
      names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
    );
    const told = [...squawk(files)!].flatMap(([name, findings]) =>
      findings
        .filter(({ rule }) => OURS[rule] !== undefined)
        .map(({ rule }) => `${name.slice(0, 4)} ${rule}`),
    );
    expect([...new Set(told)]).toEqual(['0010 ban-drop-column']);
  },
);
