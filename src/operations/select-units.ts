import { conflictError, refusedError } from '../core/errors.js';
import type { Selector } from '../core/selector.js';
import { type UnitRecord, listUnits } from '../engine/catalog/units.js';
import type { Fleet } from '../engine/context.js';

/**
 * The units that a run is to work on.
 * @throws conflict `NOTHING_SELECTED` (exit 5) unless `allowEmpty` · refusal `POOL_PARTLY_SELECTED` (exit 6)
 */
export async function selectUnits(
  fleet: Fleet,
  select: Selector,
  allowEmpty: boolean,
): Promise<UnitRecord[]> {
  const units = await fleet.catalog((connection) => listUnits(connection, select));
  if (units.length === 0 && !allowEmpty) throw nothingSelected(select);
  for (const unit of units) refuseHalfPool(unit);
  return units;
}

function refuseHalfPool(unit: UnitRecord): void {
  if (unit.selected === unit.tenantCount || !unit.shared) return;
  throw refusedError(
    'POOL_PARTLY_SELECTED',
    `The selection holds ${unit.selected} of the ${unit.tenantCount} tenants of ${unit.id}; a pool migrates as a whole.`,
    {
      hint: `Select it as unit=${unit.id}, or leave pools out with tier!=pool.`,
      facts: { unit: unit.id, selected: unit.selected, tenants: unit.tenantCount },
    },
  );
}

function nothingSelected(select: Selector) {
  return conflictError(
    'NOTHING_SELECTED',
    select.length === 0 ? 'The fleet has no units yet.' : 'No unit matches the selection.',
    {
      hint:
        select.length === 0
          ? '`tenantctl provision <id>` makes the first tenant; --allow-empty accepts an empty fleet.'
          : 'Check --select with `tenantctl list`; --allow-empty accepts an empty selection.',
    },
  );
}
