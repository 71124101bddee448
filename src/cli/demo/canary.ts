import type { RunReport } from '../../core/report.js';
import type { Fleet } from '../../engine/context.js';
import { askTenant } from '../../operations/ask.js';
import { migrate } from '../../operations/migrate.js';
import { type RunExplanation, explainRun } from '../../operations/runs/explain.js';
import { retryRun } from '../../operations/runs/retry.js';
import { showTenant } from '../../operations/show.js';
import { count, counted } from '../../core/counted.js';
import { table } from '../../render/table.js';
import { CANARIES } from './companies.js';
import { unexpected } from './demo.js';
import { addMigration } from './folder.js';
import type { DemoStep } from './step.js';

const NAME = '0015_customer_email_checked';
const TEXT = `-- An e-mail address has something before and after its @.
-- tenantctl: allow check-without-not-valid because no company has many customers
alter table customer add constraint customer_email_check check (email like '%_@_%');
`;
/** The canary with a customer that no test data has. */
const [TROUBLED = ''] = CANARIES;

export const canary: DemoStep = {
  name: 'canary',
  title: 'A bad migration stops at the canary',
  why: 'The next migration is wrong about the data of one company. The configuration lets a few companies go first, so the run is halted there: one unit has failed and is as it was, and nobody else has noticed. It says why, waits for the repair, and goes on.',
  async run(demo) {
    const { folder, narrator } = demo;
    await demo.onFleet(plantBadRow);
    await addMigration(folder, NAME, TEXT);
    narrator.show(`+ migrations/${NAME}.sql`);
    narrator.command('tenantctl migrate');
    const { halted, why } = await demo.onFleet(async (fleet) => ({
      halted: await roll(fleet),
      why: await explainRun(fleet, undefined, undefined),
    }));
    narrator.show(wavesView(halted));
    narrator.command('tenantctl runs explain');
    narrator.show(explainedView(why));
    narrator.show(`the customer of ${TROUBLED} gets an address`);
    narrator.command('tenantctl runs retry');
    const done = await demo.onFleet(async (fleet) => {
      await mendBadRow(fleet);
      return retryRun(fleet, undefined, { wait: false, dryRun: false });
    });
    narrator.show(wavesView(done));
    if (halted.totals.failed !== 1 || done.status !== 'succeeded')
      throw unexpected(`the run was ${halted.status}, and ${done.status} after the repair.`);
    return {
      did: `1 of ${counted(halted.totals.units, 'unit')} failed, ${halted.totals.pending} were spared; repaired, then all`,
      counts: {
        units: halted.totals.units,
        failed: halted.totals.failed,
        spared: halted.totals.pending,
        afterwards: done.totals.succeeded,
      },
    };
  },
};

async function roll(fleet: Fleet): Promise<RunReport> {
  const report = await migrate(fleet, { select: [], allowEmpty: false, dryRun: false });
  if ('plan' in report) throw unexpected('a run was asked for and a plan came back.');
  return report;
}

function wavesView({ waves, totals }: RunReport): string {
  const rows = waves.map(({ name, status, units, failed }) => [name, status, count(units), count(failed)]);
  const { succeeded, failed, pending } = totals;
  return `${table(['wave', 'status', 'units', 'failed'], rows)}\n\n${succeeded} succeeded, ${failed} failed, ${pending} not begun`;
}

/** The run and what failed; the units that wait are as many as the table above says. */
function explainedView({ sentence, units }: RunExplanation): string {
  const failed = units.filter(({ status }) => status === 'failed');
  return [sentence, ...failed.map(({ unit, sentence: words }) => `${unit}: ${words}`)].join('\n');
}

async function plantBadRow(fleet: Fleet): Promise<void> {
  const { tenant } = await showTenant(fleet, TROUBLED);
  await tell(
    fleet,
    `insert into customer (tenant_id, code, name, email, country_code) values ('${tenant.key}', 'C-1', 'By phone only', 'none', 'DE')`,
  );
}

function mendBadRow(fleet: Fleet): Promise<void> {
  return tell(fleet, `update customer set email = 'office@phone.example' where code = 'C-1'`);
}

async function tell(fleet: Fleet, statement: string): Promise<void> {
  const answer = await askTenant(fleet, TROUBLED, statement);
  if ('refused' in answer) throw unexpected(`${answer.refused.message} (${answer.refused.sqlstate}).`);
}
