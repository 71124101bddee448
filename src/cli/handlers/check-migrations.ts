import { checkMigrations } from '../../operations/check/migrations.js';
import { checkOutcome } from '../check-outcome.js';
import { checkedMigrations } from '../checked.js';
import type { Call, Outcome } from '../command.js';
import type { checkMigrations as command } from '../commands/check.js';
import { settingsWithoutServer } from '../settings-without-server.js';

export default async function handle(call: Call<typeof command>): Promise<Outcome> {
  const look = async () => checkedMigrations(await checkMigrations(settingsWithoutServer(call.config)));
  return checkOutcome(call, [{ check: 'migrations', look }]);
}
