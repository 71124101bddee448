import type { LocalHome } from './home-rows.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

/** A home that serves its tenant, although the catalog places that elsewhere: two places take writes of one tenant. */
export function secondHome(
  context: DatabaseContext,
  { tenant, schema, tier, state, epoch }: LocalHome,
): DoctorFinding {
  return {
    rule: 'second-home',
    level: 'error',
    where: `${placeName(context)}.${schema}`,
    message: `this home says that tenant ${tenant} lives here (${state}, epoch ${epoch}), and the catalog places it elsewhere: what is written here is lost to it`,
    hint: `\`tenantctl show ${tenant}\` says where it lives. If this database was brought back from before a move, look at what is here and drop it by hand; if the catalog was, bring a newer one back.`,
    facts: { tenant, database: context.session.database, schema, tier, state, epoch },
  };
}
