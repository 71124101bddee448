import { checkIsolation } from '../../operations/check/isolation.js';
import type { Tally } from '../../operations/tally.js';
import { checkOutcome } from '../check-outcome.js';
import { checkedIsolation } from '../checked.js';
import type { Call, Outcome } from '../command.js';
import type { checkIsolation as command } from '../commands/check.js';

export default async function handle(call: Call<typeof command>): Promise<Outcome> {
  const look = async (tally: Tally) => checkedIsolation(await checkIsolation(call.fleet, tally));
  return checkOutcome(call, [{ check: 'isolation', look }]);
}
