import { checkDrift } from '../../operations/check/drift.js';
import { checkOutcome } from '../check-outcome.js';
import { checkedDrift } from '../checked.js';
import type { Call, Outcome } from '../command.js';
import type { checkDrift as command } from '../commands/check.js';

export default async function handle(call: Call<typeof command>): Promise<Outcome> {
  return checkOutcome(call, async () => [checkedDrift(await checkDrift(call.fleet))]);
}
