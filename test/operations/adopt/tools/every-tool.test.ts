import pLimit from 'p-limit';
import { describe, expect, test } from 'vitest';
import { migrate } from '../../../../src/operations/migrate.js';
import { dumpApplication } from '../../../support/application-dump.js';
import { useServer } from '../../../support/server.js';
import { directoryOf, writeFiles } from '../../../engine/ledger/directory.js';
import { legacyFleet } from '../legacy.js';
import { type Place, PROJECTS, STEPS } from './projects.js';

const server = useServer();
const UNITS = 200;
/** Schemas that tools make side by side. */
const MAKERS = 4;
const RINGS = [
  { name: 'canary', select: null, max: 5, percent: null, bakeMs: 0, approve: false, checks: [] },
  { name: 'rest', select: null, max: null, percent: null, bakeMs: 0, approve: false, checks: [] },
];

describe.each(PROJECTS)('a fleet of $tool', (project) => {
  test(`of ${UNITS} units is taken in without a touch, migrated onward in waves, and still understood by the tool`, async () => {
    const directory = directoryOf(project.files(2));
    const made = await legacyFleet(server.current, { migrations: directory, rollout: { waves: RINGS } });
    made.settings.migrations.format = project.format;
    const ids = Array.from({ length: UNITS }, (_, n) => `t${n}`);
    await made.asOwner(ids.map((id) => `create schema ${id}`).join(';'));
    const placeOf = (schema: string): Place => {
      const url = new URL(server.current.adminUrl(made.database));
      [url.username, url.password] = [made.owner, made.owner];
      url.searchParams.set('options', `-csearch_path=${schema}`);
      return { url: url.href, schema, directory };
    };
    const byTheTool = pLimit(MAKERS);
    const runTool = () => Promise.all(ids.map((id) => byTheTool(() => project.migrate(placeOf(id)))));
    expect(new Set((await runTool()).map((applied) => applied.length))).toEqual(new Set([2]));

    const before = await dumpApplication(server.current, made.database);
    const report = await made.adopt(
      ids.map((id) => ({ id })),
      { dualWrite: true },
    );
    expect(report).toMatchObject({ adopted: UNITS, refused: [], problems: [] });
    expect(
      new Set(report.units.map(({ tool, state, version }) => `${tool} ${state} ${version?.id}`)),
    ).toEqual(new Set([`${project.tool} current 2`]));
    expect(await dumpApplication(server.current, made.database)).toEqual(before);

    writeFiles(directory, project.files(STEPS.length));
    const run = await migrate(made.fleet, { select: [], allowEmpty: false, dryRun: false });
    expect(run).toMatchObject({ status: 'succeeded', totals: { succeeded: UNITS, failed: 0 } });
    expect('waves' in run && run.waves.map(({ units }) => units)).toEqual([5, UNITS - 5]);
    expect(new Set((await runTool()).map((applied) => applied.length))).toEqual(new Set([0]));
    const noted = await made.inside<{ n: number }>(
      "select count(*)::int as n from information_schema.columns where table_name = 'bill' and column_name = 'note'",
    );
    expect(noted).toEqual([{ n: UNITS }]);
  }, 300_000);
});
