import type { MoveReport } from '../../core/move.js';
import type { StoredMove } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { leftUnheard } from './departed.js';

/** A stored move as commands show it. */
export function toReport(stored: StoredMove): MoveReport {
  const { version: _version, maxPauseMs: _pause, maxLagMs: _lag, graceMs: _grace, ...report } = stored;
  const { driver: _driver, leased: _leased, ...shown } = report;
  return shown;
}

/** The same for who only looks, and with what the homes know before the catalog does. */
export async function toReportNow(fleet: Fleet, stored: StoredMove): Promise<MoveReport> {
  const report = toReport(stored);
  if (!(await leftUnheard(fleet, stored))) return report;
  const note =
    'it has left its home and is refused everywhere until `tenantctl moves resume` lets it into the other one';
  return { ...report, note, ...(stored.undo === null ? { state: 'moved' } : { undo: 'moved' }) };
}
