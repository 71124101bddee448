import type { Fleet } from '../../engine/context.js';
import { activateTenant } from '../../operations/activate.js';
import { askTenant } from '../../operations/ask.js';
import { suspendTenant } from '../../operations/suspend.js';
import { table } from '../../render/table.js';
import { companyOn } from './companies.js';
import { unexpected } from './demo.js';
import type { DemoStep } from './step.js';

const [LATE, NEIGHBOUR] = [companyOn('free', 0), companyOn('free', 1)];
const QUESTION = 'select count(*)::int as n from customer';
/** What applications meet at a suspended tenant, whatever driver they use. */
const SUSPENDED = 'TC002';

export const suspend: DemoStep = {
  name: 'suspend',
  title: `Suspend ${LATE}, then let it in again`,
  why: 'The database itself refuses a suspended tenant, so that no application has to remember. Its neighbours in the same tables notice nothing, and its data stays.',
  async run(demo) {
    demo.narrator.command(`tenantctl suspend ${LATE}`);
    const { before, during, neighbour, after } = await demo.onFleet(async (fleet) => {
      const first = await ask(fleet, LATE);
      await suspendTenant(fleet, LATE, { dryRun: false });
      const meanwhile = await ask(fleet, LATE);
      const beside = await ask(fleet, NEIGHBOUR);
      await activateTenant(fleet, LATE, { dryRun: false });
      return { before: first, during: meanwhile, neighbour: beside, after: await ask(fleet, LATE) };
    });
    if (!during.startsWith(SUSPENDED) || after !== before)
      throw unexpected(`${LATE} was answered "${before}", then "${during}", then "${after}".`);
    demo.narrator.show(
      table(
        ['asked as', 'when', 'answer'],
        [
          [LATE, 'before', before],
          [LATE, 'suspended', during],
          [NEIGHBOUR, 'meanwhile', neighbour],
          [LATE, 'activated', after],
        ],
      ),
    );
    return {
      did: `refused with ${SUSPENDED}, its neighbour served; then let in again`,
      counts: { sqlstate: SUSPENDED, tenant: LATE },
    };
  },
};

/** What the application gets to a simple query. */
async function ask(fleet: Fleet, id: string): Promise<string> {
  const answer = await askTenant(fleet, id, QUESTION);
  if ('refused' in answer) return `${answer.refused.sqlstate} ${answer.refused.message}`;
  return `${String(answer.rows[0]?.['n'])} customers`;
}
