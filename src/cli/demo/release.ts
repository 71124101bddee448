import { migrate } from '../../operations/migrate.js';
import { fleetStatus } from '../../operations/status.js';
import { counted } from '../../core/counted.js';
import { runFailure } from '../run-failure.js';
import { unexpected } from './demo.js';
import { versionsView } from './fleet-view.js';
import { releaseMigrations } from './folder.js';
import type { DemoStep } from './step.js';

export const release: DemoStep = {
  name: 'migrate',
  title: 'A release: migrate the whole fleet',
  why: 'Three migrations arrive: new tables, a new value in an enum, a new partition. A unit is what migrates together: the pool with all its tenants, one schema, one database. What a unit has is written in its own ledger, in the transaction of the migration, so an interrupted run goes on where it stopped.',
  async run(demo) {
    const { folder, narrator } = demo;
    const files = await releaseMigrations(folder);
    narrator.show(files.map((name) => `+ migrations/${name}.sql`).join('\n'));
    narrator.command('tenantctl migrate');
    const { report, before, after } = await demo.onFleet(async (fleet) => {
      const first = await fleetStatus(fleet, {});
      const run = await migrate(fleet, { select: [], allowEmpty: false, dryRun: false });
      return { before: first, report: run, after: await fleetStatus(fleet, {}) };
    });
    if ('plan' in report) throw unexpected('a run was asked for and a plan came back.');
    const failure = runFailure(report);
    if (failure !== undefined) throw failure;
    narrator.show(versionsView(before, after));
    const { units, tenants, succeeded, failed } = report.totals;
    return {
      did: `${counted(units, 'unit')} with ${counted(tenants, 'tenant')} to ${report.to?.name ?? 'none'}`,
      counts: {
        units,
        tenants,
        succeeded,
        failed,
        migrations: files.length,
        from: before.versions[0]?.name ?? '',
        to: report.to?.name ?? '',
      },
    };
  },
};
