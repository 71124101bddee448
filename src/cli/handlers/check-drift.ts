import { checkDrift } from '../../operations/check/drift.js';
import type { Tally } from '../../operations/tally.js';
import { checkOutcome } from '../check-outcome.js';
import { checkedDrift } from '../checked.js';
import type { Call, Outcome } from '../command.js';
import type { checkDrift as command } from '../commands/check.js';

export default async function handle(call: Call<typeof command>): Promise<Outcome> {
  const look = async (tally: Tally) => checkedDrift(await checkDrift(call.fleet, tally));
  return checkOutcome(call, [{ check: 'drift', look }]);
}
