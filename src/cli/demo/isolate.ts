import path from 'node:path';
import { askTenant } from '../../operations/ask.js';
import { runScript } from '../../operations/run-script.js';
import { showTenant } from '../../operations/show.js';
import type { Fleet } from '../../engine/context.js';
import { count } from '../../core/counted.js';
import { table } from '../../render/table.js';
import { companyOn } from './companies.js';
import { unexpected } from './demo.js';
import { invoicesSeenBy, invoicesSeenByNobody } from './invoices.js';
import type { DemoStep } from './step.js';

const [ONE, OTHER] = [companyOn('free', 0), companyOn('free', 1)];
/** Rows for two neighbours in the pool, one schema and one database. */
const ROWS = new Map([
  [ONE, 3_000],
  [OTHER, 1_200],
  [companyOn('pro'), 2_000],
  [companyOn('enterprise'), 5_000],
]);

export const isolate: DemoStep = {
  name: 'isolate',
  title: 'Work as four tenants, and keep them apart',
  why: 'Four tenants get customers, invoices and payments, each in its own session. Two of them share tables: the policies that hold them apart were added by tenantctl, in the transaction of each migration, so no developer can forget them.',
  async run(demo) {
    const { rows, seen, theft } = await demo.onFleet(async (fleet) => {
      const filled = await fill(fleet, path.join(demo.folder.path, 'generate.sql'));
      return { rows: filled, seen: await look(fleet), theft: await steal(fleet) };
    });
    const listed = [...rows].map(([id, { tier, rows: n }]) => [id, tier, count(n)]);
    demo.narrator.show(table(['tenant', 'tier', 'rows written'], listed));
    demo.narrator.show(`select count(*) from invoice, in the tables that ${ONE} and ${OTHER} share`);
    demo.narrator.show(
      table(
        ['asked as', 'invoices'],
        [
          [ONE, count(seen.one)],
          [OTHER, count(seen.other)],
          ['no tenant at all', count(seen.none)],
        ],
      ),
    );
    demo.narrator.show(`${ONE} writes a customer for ${OTHER}:\n${theft.sqlstate} ${theft.message}`);
    const written = [...rows.values()].reduce((sum, { rows: n }) => sum + n, 0);
    return {
      did: `${count(written)} rows for 4 tenants; in the pool each sees its own, nobody sees none`,
      counts: {
        rows: written,
        tenants: rows.size,
        invoicesOfOne: seen.one,
        invoicesOfOther: seen.other,
        invoicesWithoutTenant: seen.none,
        foreignWrite: theft.sqlstate,
      },
    };
  },
};

async function fill(fleet: Fleet, file: string) {
  const filled = new Map<string, { tier: string; rows: number }>();
  for (const [id, rows] of ROWS) {
    const { tenant } = await showTenant(fleet, id);
    const report = await runScript(fleet, id, { file, variables: { rows } });
    filled.set(id, { tier: tenant.tier, rows: report.rows });
  }
  return filled;
}

/** Who sees how many invoices in the shared table. Anything but a clean cut would be news. */
async function look(fleet: Fleet) {
  const [one, other, none] = [
    await invoicesSeenBy(fleet, ONE),
    await invoicesSeenBy(fleet, OTHER),
    await invoicesSeenByNobody(fleet, ONE),
  ];
  if (one === 0 || other === 0 || none !== 0)
    throw unexpected(`invoices were seen as ${one}, ${other} and ${none}, which is not isolated.`);
  return { one, other, none };
}

/** Tries to put a row into the neighbour's data. */
async function steal(fleet: Fleet) {
  const { tenant } = await showTenant(fleet, OTHER);
  const answer = await askTenant(
    fleet,
    ONE,
    `insert into customer (tenant_id, code, name, email) values ('${tenant.key}', 'X', 'Intruder', 'x@x.example')`,
  );
  if ('rows' in answer) throw unexpected(`${ONE} could write rows of ${OTHER}.`);
  return answer.refused;
}
