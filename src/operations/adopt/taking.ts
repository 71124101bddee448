import type { Adoption } from '../../core/adoption.js';
import type { Fleet } from '../../engine/context.js';
import type { Standing } from './judge.js';
import type { SiftedUnit } from './known.js';
import type { ListedUnit } from './listed.js';
import type { UnitFacts } from './look.js';
import type { AdoptOptions } from './request.js';
import { type Taking, withKnownKeys } from './take-in.js';

/** What is written down of a unit that is taken in. */
export function takingOf(
  fleet: Fleet,
  sifted: SiftedUnit,
  standing: Standing,
  { dualWrite }: AdoptOptions,
): Taking {
  const { listed } = standing;
  const facts = standing.facts as UnitFacts;
  const { tier, cluster, database, schema } = listed.unit;
  const role = roleOf(fleet, listed, facts);
  return withKnownKeys({
    sifted,
    standing,
    placement: { tier, cluster, database, schema, pool: listed.pool, role },
    adoption: sifted.native ? null : adoptionOf(standing, facts, dualWrite),
  });
}

/** Whoever the application is there: the list says so, or the rights do. In a pool it is the role that policies are for. */
function roleOf({ settings }: Fleet, { role, unit }: ListedUnit, { owners }: UnitFacts): string {
  if (unit.shared) return settings.tenancy.appRole;
  return role ?? owners.application ?? owners.owner ?? settings.tenancy.appRole;
}

function adoptionOf(
  { ledger, tool, tolerated }: Standing,
  { owners, administrator }: UnitFacts,
  dualWrite: boolean,
): Adoption {
  const place =
    ledger === null || tool === null
      ? null
      : { tool, schema: ledger.found.schema, table: ledger.found.table };
  return {
    owner: owners.owner === administrator ? null : owners.owner,
    ledger: place,
    dualWrite: dualWrite && place !== null,
    tolerated,
  };
}
