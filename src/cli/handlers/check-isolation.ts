import { checkIsolation } from '../../operations/check/isolation.js';
import { checkOutcome } from '../check-outcome.js';
import { checkedIsolation } from '../checked.js';
import type { Call, Outcome } from '../command.js';
import type { checkIsolation as command } from '../commands/check.js';

export default async function handle(call: Call<typeof command>): Promise<Outcome> {
  return checkOutcome(call, async () => [checkedIsolation(await checkIsolation(call.fleet))]);
}
