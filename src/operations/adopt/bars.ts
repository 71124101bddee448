import type { FoundLedger } from '../../engine/adoption/find-ledgers.js';
import { ident } from '../../pg/sql.js';
import type { ListedUnit } from './listed.js';
import type { UnitFacts } from './look.js';
import type { UnitState } from './report.js';

/** What an unfit unit is, and why. */
export interface Refusal {
  state: UnitState;
  reason: string;
  hint: string;
}

/** What keeps a unit out whatever its ledger says. */
export function barTo(listed: ListedUnit, facts: UnitFacts): Refusal | null {
  const { schema } = listed.unit;
  const taken = listed.tenants.find(({ id }) => isElsewhere(facts, id, schema));
  if (taken !== undefined)
    return {
      state: 'invalid',
      reason: `this database knows tenant ${taken.id} already, in schema ${facts.tenants.get(taken.id)?.schema}`,
      hint: 'Correct the row, or take it out of the list.',
    };
  if (facts.resident !== null)
    return {
      state: 'invalid',
      reason: `this database knows ${listed.unit.shared ? `key ${facts.resident.key}` : `schema ${schema}`} as that of tenant ${facts.resident.tenant}`,
      hint: `Give it the id ${facts.resident.tenant} in the list, or take it out.`,
    };
  if (!facts.roleIsThere)
    return {
      state: 'invalid',
      reason: `cluster ${listed.unit.cluster} has no role ${listed.role}`,
      hint: 'Correct column role: it is the role that the application acts as.',
    };
  const missing = missingRight(listed, facts);
  if (missing !== null) return { state: 'rights', ...missing };
  return facts.fingerprint === null || facts.ledgerHeld
    ? { state: 'busy', reason: `another session holds tables of schema ${schema}`, hint: AGAIN }
    : null;
}

/** A home that this tool has made, of which this catalog knows nothing: to adopt it would take from it what it is. */
export function foreignHome({ unit }: ListedUnit, { own, adopted, tenants }: UnitFacts): Refusal | null {
  if (own.length === 0 || adopted !== null) return null;
  const whose = [...tenants.values()].find(({ schema }) => schema === unit.schema);
  return {
    state: 'invalid',
    reason: `tenantctl has made schema ${unit.schema}${whose === undefined ? '' : ` for tenant ${whose.tenant}`}, and this catalog does not know it`,
    hint: 'If that catalog is lost: tenantctl doctor --rebuild-catalog; otherwise take it out of the list.',
  };
}

/** The right that the administrator lacks, with the statement that gives it. */
function missingRight({ unit }: ListedUnit, facts: UnitFacts): { reason: string; hint: string } | null {
  const { owners, unreadable, installable, administrator } = facts;
  const admin = ident(administrator).text();
  if (!owners.settable)
    return {
      reason: `its tables belong to role ${owners.owner}, which the administrator may not act as`,
      hint: `As a role that may: GRANT ${ident(owners.owner ?? '').text()} TO ${admin};`,
    };
  if (owners.others.length > 0)
    return {
      reason: `most of its tables belong to role ${owners.owner}, and some to ${owners.others.join(', ')}`,
      hint: `Let one role own them, ALTER TABLE … OWNER TO ${ident(owners.owner ?? '').text()}, or make it a member of the others.`,
    };
  const [closed] = unreadable;
  if (closed !== undefined) return closedLedger(closed, admin);
  if (!installable)
    return {
      reason: `the administrator may not make schema tenantctl in database ${unit.database}`,
      hint: `GRANT CREATE ON DATABASE ${ident(unit.database).text()} TO ${admin};`,
    };
  return null;
}

function closedLedger({ schema, table, closedBy }: FoundLedger, admin: string) {
  const its = ident(schema, table).text();
  if (closedBy === 'policies')
    return {
      reason: `row-level security may hide rows of ${schema}.${table} from the administrator`,
      hint: `As whoever owns it: ALTER TABLE ${its} DISABLE ROW LEVEL SECURITY; or as a superuser: ALTER ROLE ${admin} BYPASSRLS;`,
    };
  return {
    reason: `the administrator may not read ${schema}.${table}`,
    hint: `GRANT USAGE ON SCHEMA ${ident(schema).text()} TO ${admin}; GRANT SELECT ON ${its} TO ${admin};`,
  };
}

export const AGAIN = 'Wait until it is done, and run the same command again.';

function isElsewhere({ tenants }: UnitFacts, id: string, schema: string): boolean {
  const known = tenants.get(id);
  return known !== undefined && known.schema !== schema;
}
