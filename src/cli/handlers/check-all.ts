import { checkDrift } from '../../operations/check/drift.js';
import { checkIsolation } from '../../operations/check/isolation.js';
import { checkMigrations } from '../../operations/check/migrations.js';
import { checkOutcome } from '../check-outcome.js';
import { checkedDrift, checkedIsolation, checkedMigrations } from '../checked.js';
import type { Call, Outcome } from '../command.js';
import type { checkAll } from '../commands/check.js';

export default async function handle(call: Call<typeof checkAll>): Promise<Outcome> {
  const { fleet } = call;
  return checkOutcome(call, async () => [
    checkedMigrations(await checkMigrations(fleet.settings)),
    checkedDrift(await checkDrift(fleet)),
    checkedIsolation(await checkIsolation(fleet)),
  ]);
}
