import { checkIsolation } from '../../operations/check/isolation.js';
import { checkMigrations } from '../../operations/check/migrations.js';
import { checkDriftBeside } from '../../operations/check/unreadable-files.js';
import { checkOutcome } from '../check-outcome.js';
import { checkedDrift, checkedIsolation, checkedMigrations } from '../checked.js';
import type { Call, Outcome } from '../command.js';
import type { checkAll } from '../commands/check.js';

export default async function handle(call: Call<typeof checkAll>): Promise<Outcome> {
  const { fleet } = call;
  return checkOutcome(call, [
    { check: 'migrations', look: async () => checkedMigrations(await checkMigrations(fleet.settings)) },
    { check: 'drift', look: async (tally) => checkedDrift(await checkDriftBeside(fleet, tally)) },
    { check: 'isolation', look: async (tally) => checkedIsolation(await checkIsolation(fleet, tally)) },
  ]);
}
