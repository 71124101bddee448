import type { Finding } from '../../core/finding.js';
import type { Fleet } from '../../engine/context.js';
import { type IsolationCheck, checkIsolation } from '../../operations/check/isolation.js';
import { showTenant } from '../../operations/show.js';
import { count, counted } from '../../core/counted.js';
import { table } from '../../render/table.js';
import { companyOn } from './companies.js';
import { unexpected } from './demo.js';
import { invoicesSeenBy } from './invoices.js';
import type { DemoStep } from './step.js';

const READER = companyOn('free', 0);
const POLICY = 'support_desk';

export const check: DemoStep = {
  name: 'check',
  title: 'Open a hole in the pool, and be told of it',
  why: 'A colleague adds a policy for the support desk by hand, and now every tenant reads the invoices of all others. Nothing fails, so nobody would notice. The check makes two throw-away tenants in a transaction that is rolled back, tries every command in every table from one to the other, and gives the SQL that mends what it finds.',
  async run(demo) {
    const { seen, found, remedy } = await demo.onFleet(openAndMend);
    const errors = errorsOf(found);
    const { tables, probed } = found.coverage;
    if (seen.open <= seen.before || seen.after !== seen.before)
      throw unexpected(`${READER} has read ${seen.before}, ${seen.open} and ${seen.after} invoices.`);
    demo.narrator.show(`${READER} reads ${count(seen.open)} invoices instead of ${count(seen.before)}`);
    demo.narrator.command('tenantctl check isolation');
    demo.narrator.show(
      table(
        ['found', 'where'],
        errors.map(({ rule, where }) => [rule, where]),
      ),
    );
    demo.narrator.show(
      `${count(probed)} probes in ${counted(tables, 'table')}. What mends it:\n${remedy.join('\n')}`,
    );
    return {
      did: `found by ${count(probed)} probes, closed by the SQL of the finding; ${READER} reads its own again`,
      counts: {
        errors: errors.length,
        tables,
        probed,
        before: seen.before,
        open: seen.open,
        after: seen.after,
      },
    };
  },
};

async function openAndMend(fleet: Fleet) {
  const { tenant } = await showTenant(fleet, READER);
  const place = { cluster: tenant.cluster, database: tenant.database };
  const before = await invoicesSeenBy(fleet, READER);
  await byHand(fleet, place, [`create policy ${POLICY} on ${tenant.schema}.invoice for select using (true)`]);
  const open = await invoicesSeenBy(fleet, READER);
  const found = await checkIsolation(fleet);
  const remedy = errorsOf(found).find(({ facts }) => facts['policy'] === POLICY)?.facts.sql;
  if (remedy === undefined) throw unexpected('the hole was not found.');
  await byHand(fleet, place, remedy);
  return { seen: { before, open, after: await invoicesSeenBy(fleet, READER) }, found, remedy };
}

function errorsOf({ findings }: IsolationCheck): Finding[] {
  return findings.filter(({ level }) => level === 'error');
}

/** What somebody does with psql, past this tool. */
async function byHand(
  fleet: Fleet,
  { cluster, database }: { cluster: string; database: string },
  statements: readonly string[],
): Promise<void> {
  await fleet.managed(cluster, database, (session) => session.message(statements.join('; ')));
}
