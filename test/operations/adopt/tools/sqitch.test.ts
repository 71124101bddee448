import { expect, test } from 'vitest';
import { migrate } from '../../../../src/operations/migrate.js';
import { dumpApplication } from '../../../support/application-dump.js';
import { useServer, withClient } from '../../../support/server.js';
import { PROJECT, WRITTEN, registryTables } from '../../../engine/formats/ledgers/sqitch-project.js';
import { directoryOf, writeFiles } from '../../../engine/ledger/directory.js';
import { type LegacyFleet, legacyFleet } from '../legacy.js';

const server = useServer();
const UNITS = 200;
/** The project as it was when its first two changes and their tag were all there was: one of them has been reworked since. */
const BEFORE = {
  'sqitch.plan': PROJECT['sqitch.plan']!.split('\n\naudit')[0]!,
  'deploy/users.sql': PROJECT['deploy/users@v2.sql']!,
  'deploy/notes.sql': PROJECT['deploy/notes.sql']!,
};

test(`a fleet of sqitch, of ${UNITS} units with a registry each, is taken in untouched and migrated onward as sqitch would have`, async () => {
  const directory = directoryOf(BEFORE);
  const made = await legacyFleet(server.current, { migrations: directory });
  made.settings.migrations.format = 'sqitch';
  const ids = Array.from({ length: UNITS }, (_, n) => `t${n}`);
  for (const id of ids) await deployed(made, id);
  const before = await dumpApplication(server.current, made.database);
  const rows = ids.map((id) => ({ id, ledger: `registry_${id}.changes` }));
  const report = await made.adopt(rows, { dualWrite: true });
  expect(report).toMatchObject({ adopted: UNITS, refused: [], problems: [] });
  expect(new Set(report.units.map(({ tool, state, version }) => `${tool} ${state} ${version?.id}`))).toEqual(
    new Set(['sqitch current 2']),
  );
  expect(await dumpApplication(server.current, made.database)).toEqual(before);

  writeFiles(directory, PROJECT);
  const run = await migrate(made.fleet, { select: [], allowEmpty: false, dryRun: false });
  expect(run).toMatchObject({ status: 'succeeded', totals: { succeeded: UNITS, failed: 0 } });
  for (const id of ['t0', `t${UNITS - 1}`])
    for (const table of ['changes', 'tags', 'events'] as const)
      expect(await held(made, id, table)).toEqual(WRITTEN[table]);
}, 300_000);

/** A unit as sqitch leaves it after the first two changes and their tag. */
async function deployed(made: LegacyFleet, id: string): Promise<void> {
  const first = new Set(WRITTEN.changes.slice(0, 2).map((change) => change['change_id']));
  const rowsOf = (table: 'changes' | 'tags' | 'events' | 'dependencies'): string => {
    const its = WRITTEN[table].filter((row) => first.has(row['change_id']));
    const rows = JSON.stringify(its).replaceAll("'", "''");
    const who =
      table === 'dependencies' ? '' : `, 'committer_name', 'Ada L', 'committer_email', 'ada@example.org'`;
    const when = table === 'dependencies' ? '' : `'committed_at', clock_timestamp()`;
    return `insert into registry_${id}.${table} select (jsonb_populate_record(null::registry_${id}.${table},
      row || jsonb_build_object(${when}${who}))).* from jsonb_array_elements('${rows}') row`;
  };
  await made.asOwner(
    [
      registryTables(`registry_${id}`).replace(/;\s*$/, ''),
      rowsOf('changes'),
      rowsOf('dependencies'),
      rowsOf('events'),
      rowsOf('tags'),
      `create schema ${id}`,
      `create table ${id}.users (id int)`,
      `create table ${id}.notes (id int)`,
    ].join(';\n'),
  );
}

function held(made: LegacyFleet, id: string, table: string): Promise<unknown[]> {
  return withClient(server.current.superuserUrl(made.database), async (client) => {
    await client.query("set timezone = 'UTC'");
    const { rows } = await client.query(
      `select to_jsonb(t) - '{committed_at,committer_name,committer_email}'::text[] as row from registry_${id}.${table} t order by committed_at`,
    );
    return rows.map(({ row }) => row);
  });
}
