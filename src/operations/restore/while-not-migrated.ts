import { conflictError } from '../../core/errors.js';
import { pause } from '../../core/pause.js';
import { readLedger } from '../../engine/ledger/entries.js';
import { tablesSignature } from '../../engine/moves/alike.js';
import type { Connection } from '../../pg/connection.js';
import { tryWithLock } from '../../pg/locks.js';
import { loadFleetMigrations } from '../migrations.js';
import type { Filling } from './filling.js';
import { appliedIn, assertVersion } from './version.js';

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * Does something in a unit while it is not migrated, if it is still what was looked at.
 * @param signature of the tables, from when they were compared with the export
 * @throws conflict `UNIT_BUSY` (exit 5) when a migration takes longer than ten seconds, or has changed the tables
 * @throws refusal `EXPORT_VERSION_DIFFERS` (exit 6)
 */
export async function whileNotMigrated<T>(
  filling: Filling,
  session: Connection,
  signature: string,
  work: () => Promise<T>,
): Promise<T> {
  const { fleet, unit, side, bag } = filling;
  const migrations = await loadFleetMigrations(fleet);
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const done = await tryWithLock(session, 'unit', unit.ledgerKey, async () => {
      assertVersion(migrations, bag.manifest, unit, appliedIn(await readLedger(session, unit)));
      if ((await tablesSignature(session, side)) !== signature) throw unitBusy(filling, 'was');
      return work();
    });
    if (done !== undefined) return done.value;
    if (performance.now() > until || fleet.signal.aborted) throw unitBusy(filling, 'is being');
    await pause(LOOK_EVERY_MS, fleet.signal);
  }
}

function unitBusy({ unit, home }: Filling, word: string) {
  return conflictError(
    'UNIT_BUSY',
    `${unit.id} ${word} migrated meanwhile, so no row of tenant ${home.tenant.id} was restored.`,
    {
      hint: 'Run the same command again when the migration has passed that unit.',
      facts: { unit: unit.id, tenant: home.tenant.id },
    },
  );
}
