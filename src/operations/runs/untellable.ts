import { refusedError } from '../../core/errors.js';
import { isTellable } from '../../engine/ledger/mirror.js';
import type { SurveyedUnit } from '../../engine/waves/survey.js';

/**
 * Makes sure, before anything runs, that the ledgers of other tools can be kept true wherever they are.
 * @throws refusal `LEDGER_NOT_TELLABLE` (exit 6) that names the files whose rows cannot be told, and how many units are concerned
 */
export function refuseUntellable(surveyed: readonly SurveyedUnit[]): void {
  const units = surveyed.filter(({ unit, pending, skip, fault }) => {
    if (skip !== null || fault !== null) return false;
    return pending.some((file) => !isTellable(unit, file));
  });
  const [first] = units;
  if (first === undefined) return;
  const names = new Set(
    units.flatMap(({ unit, pending }) =>
      pending.filter((file) => !isTellable(unit, file)).map(({ name }) => name),
    ),
  );
  const tool = first.unit.adopted?.ledger?.tool ?? 'the other tool';
  throw refusedError(
    'LEDGER_NOT_TELLABLE',
    `The ledger of ${tool} is to be kept true, and what it would say of ${[...names].join(', ')} cannot be told: ${units.length} units, such as ${first.unit.id}.`,
    {
      hint: `Nothing was changed. Give the file the form that ${tool} knows; or end dual writing, by adopting these units again without --dual-write.`,
      facts: { tool, migrations: [...names], units: units.length },
    },
  );
}
