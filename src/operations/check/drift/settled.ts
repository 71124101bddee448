import { indexBy } from '../../../core/group-by.js';
import type { Ledgers } from './ledgers.js';
import type { FoundState } from './states.js';
import type { SeenUnit } from './survey.js';

/** What is found, without the units in which a migration that is still to come puts it to work. */
export function withoutSettled(
  states: readonly FoundState[],
  seen: readonly SeenUnit[],
  ledgers: Ledgers,
): FoundState[] {
  const byUnit = indexBy(seen, ({ unit }) => unit.id);
  return states.flatMap((state) => {
    const settling = state.by.settledBy?.(state);
    if (settling === undefined) return [state];
    const texts = new Map<string, boolean>();
    const isComing = (one: SeenUnit): boolean => {
      const key = `${one.unit.tier} ${one.version?.id}`;
      const known =
        texts.get(key) ??
        [...ledgers.filesOf(one).values()].some(
          ({ id, sql }) => id > (one.version?.id ?? 0) && settling.test(sql),
        );
      texts.set(key, known);
      return known;
    };
    const units = state.units.filter(({ id }) => {
      const one = byUnit.get(id);
      return one === undefined || !isComing(one);
    });
    return units.length === 0 ? [] : [{ ...state, units }];
  });
}
