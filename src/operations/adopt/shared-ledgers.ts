import { groupBy } from '../../core/group-by.js';
import type { Standing } from './judge.js';
import type { ListedUnit } from './listed.js';

/** Units whose ledger is that of others too: each would write the same rows, and the second one could migrate no more. */
export function refuseSharedLedgers(standings: readonly Standing[]): Standing[] {
  const shared = sharersOf(standings);
  return standings.map((standing) => {
    const others = shared.get(standing.listed) ?? keptAlready(standing);
    if (others === null || standing.reason !== null) return standing;
    const { schema, table } = (standing.ledger as NonNullable<Standing['ledger']>).found;
    return {
      ...standing,
      state: 'unknown-ledger',
      reason: `its ledger ${schema}.${table} is that of ${others} too, and cannot be kept true of each`,
      hint: 'Take it in without --dual-write, or give each unit a ledger of its own.',
    };
  });
}

function sharersOf(standings: readonly Standing[]): Map<ListedUnit, string> {
  const places = groupBy(
    standings.filter(({ ledger }) => ledger !== null),
    ({ listed: { unit }, ledger }) =>
      JSON.stringify([unit.cluster, unit.database, ledger?.found.schema, ledger?.found.table]),
  );
  const sharing = [...places.values()].filter(({ length }) => length > 1);
  return new Map(
    sharing.flatMap((units) =>
      units.map(({ listed }, at): [ListedUnit, string] => [
        listed,
        (units[at === 0 ? 1 : 0] as Standing).listed.unit.id,
      ]),
    ),
  );
}

/** A unit that was adopted earlier and keeps it true. One within the unit's own schema is nobody else's. */
function keptAlready({ listed: { unit }, facts, ledger }: Standing): string | null {
  if (facts === null || ledger === null || ledger.found.schema === unit.schema) return null;
  const { schema, table } = ledger.found;
  const keeper = [...facts.adoptions].find(
    ([key, { ledger: place, dualWrite }]) =>
      dualWrite && key !== unit.ledgerKey && place?.schema === schema && place.table === table,
  );
  return keeper?.[0] ?? null;
}
