import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { INVOICING, median } from './support.js';

const FILES = 500;
const ROUNDS = 5;
const BIN = fileURLToPath(new URL('../bin/tenantctl.js', import.meta.url));

/** Migrations as products of some age have them: 500 files, the sample product first, each with a way back. */
export async function checkMigrations() {
  const folder = directory();
  const seconds = Array.from({ length: ROUNDS }, () => check(folder));
  rmSync(folder, { recursive: true, force: true });
  return [
    {
      claim: `check migrations over ${FILES} files and their ways back, seconds with the start of the process`,
      ratio: median(seconds),
      atMost: 2,
      figures: { seconds },
    },
  ];
}

function directory() {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-check-'));
  const migrations = path.join(folder, 'migrations');
  mkdirSync(path.join(migrations, 'down'), { recursive: true });
  writeFileSync(
    path.join(folder, 'tenantctl.config.yaml'),
    'catalog: local\nmigrations: { directory: migrations }\n',
  );
  const sample = readdirSync(`${INVOICING}migrations`).filter((name) => name.endsWith('.sql'));
  for (const name of sample) {
    for (const file of [name, `down/${name}`])
      writeFileSync(path.join(migrations, file), readFileSync(`${INVOICING}migrations/${file}`));
  }
  for (let number = sample.length + 1; number <= FILES; number += 1) {
    const name = `${String(number).padStart(4, '0')}_step.sql`;
    const [up, down] = KINDS[number % KINDS.length](number);
    writeFileSync(path.join(migrations, name), up);
    writeFileSync(path.join(migrations, 'down', name), down);
  }
  return folder;
}

const KINDS = [
  (n) => [
    `create table thing_${n} (
  tenant_id uuid not null, id bigint generated always as identity, name text not null check (name <> ''),
  customer_id bigint, amount numeric(12, 2) not null default 0, made_at timestamptz not null default now(),
  primary key (tenant_id, id), unique (tenant_id, name),
  foreign key (tenant_id, customer_id) references customer (tenant_id, id)
);
create index thing_${n}_customer_idx on thing_${n} (tenant_id, customer_id);
create trigger thing_${n}_touch before update on thing_${n} for each row execute function touch_updated_at();\n`,
    `drop table thing_${n};\n`,
  ],
  (n) => [
    `-- tenantctl: phase=expand\nalter table invoice add column c${n} text default 'x';
alter table invoice add constraint c${n}_check check (length(c${n}) < 100) not valid;\n`,
    `alter table invoice drop column c${n};\n`,
  ],
  (n) => [
    `-- tenantctl: no-transaction\ncreate index concurrently invoice_${n}_idx on invoice (tenant_id, due_on, id) where total > ${n};\n`,
    `-- tenantctl: no-transaction\ndrop index concurrently invoice_${n}_idx;\n`,
  ],
  (n) => [
    `-- tenantctl: batched\nupdate customer set name = name where (tenant_id, id) in (select tenant_id, id from customer where code = '${n}' limit 1000);\n`,
    '-- Nothing to take back.\n',
  ],
];

/** What a pipeline waits for: the process from its start to its end. */
function check(cwd) {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'check', 'migrations', '--json'], {
    cwd,
    encoding: 'utf8',
  });
  const seconds = (performance.now() - began) / 1_000;
  if (status !== 0 || JSON.parse(stdout).data.files !== FILES)
    throw new Error(`exit ${status}: ${stdout}${stderr}`);
  return seconds;
}
