import type { MoveReport } from '../../core/move.js';
import type { StoredMove } from '../../engine/catalog/moves.js';

/** A stored move as commands show it. */
export function toReport(stored: StoredMove): MoveReport {
  const { version: _version, maxPauseMs: _pause, maxLagMs: _lag, graceMs: _grace, ...report } = stored;
  const { driver: _driver, leased: _leased, ...shown } = report;
  return shown;
}
