import type { Offboarding } from '../../core/offboarding.js';
import type { StoredOffboarding } from '../../engine/catalog/offboardings.js';

/** A stored offboarding as commands show it. */
export function toOffboarding(stored: StoredOffboarding): Offboarding {
  const { wantsExport: _wantsExport, progress: _progress, ...offboarding } = stored;
  return offboarding;
}
