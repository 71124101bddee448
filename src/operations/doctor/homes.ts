import { describedOtherwise } from './described-otherwise.js';
import { knownTenants, readLocalHomes, readPlaced, settledTenants } from './home-rows.js';
import { homesDiffer } from './homes-differ.js';
import { missingHome, missingRole } from './missing-homes.js';
import { secondHome } from './second-homes.js';
import type { DatabaseContext, DoctorFinding } from './rule.js';
import { unknownHome } from './unknown-homes.js';

/** Where local state and catalog say different things about who lives in this database. */
export async function homesAgree(context: DatabaseContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, session } = context;
  const local = await readLocalHomes(session);
  const ids = local.map(({ tenant }) => tenant);
  const { placed, known, settled } = await fleet.catalog(async (catalog) => ({
    placed: await readPlaced(catalog, cluster, session.database),
    known: await knownTenants(catalog, ids),
    settled: await settledTenants(catalog, ids),
  }));
  const here = new Set(placed.map(keyOf));
  const at = new Map(local.map((home) => [keyOf(home), home]));
  return [
    ...local
      .filter(({ tenant, state }) => !known.has(tenant) && state !== 'moved')
      .map((home) => unknownHome(context, home)),
    ...local
      .filter((home) => settled.has(home.tenant) && !here.has(keyOf(home)) && SERVES.has(home.state))
      .map((home) => secondHome(context, home)),
    ...placed
      .filter(({ passing }) => !passing)
      .flatMap((wanted) => {
        const home = at.get(keyOf(wanted));
        if (home === undefined || !home.there) return [missingHome(context, wanted, home)];
        const grave = homesDiffer(context, wanted, home);
        if (grave.length > 0) return grave;
        return home.roleThere ? describedOtherwise(context, wanted, home) : [missingRole(context, home)];
      }),
  ];
}

/** What a home says that would serve its tenant, or would again. */
const SERVES: ReadonlySet<string> = new Set(['active', 'suspended']);

function keyOf({ tenant, schema }: { tenant: string; schema: string }): string {
  return `${tenant} ${schema}`;
}
