import { rulesOfPool } from '../../core/pool-rules.js';
import type { Finding } from '../../core/finding.js';
import type { Fleet } from '../../engine/context.js';
import type { OwnHome, RuleContext, RuleHome } from '../../engine/isolation/catalog-rule.js';
import { asObserved } from '../../engine/isolation/observed.js';
import { CATALOG_RULES, OBSERVED_RULES } from '../../engine/isolation/registry.js';
import type { DatabasePlace } from './isolation-places.js';

/** What the rules about the whole of a cluster find. */
export function readCluster(fleet: Fleet, cluster: string, homes: readonly OwnHome[]): Promise<Finding[]> {
  const connections = fleet.connections(cluster);
  const { tenancy } = fleet.settings;
  return connections.use(connections.maintenanceDatabase, (session) =>
    applyRules(['cluster'], { session, cluster, tenancy, pools: [], homes, dedicated: false }),
  );
}

/** What the rules find in one database. */
export function readDatabase(fleet: Fleet, place: DatabasePlace): Promise<Finding[]> {
  const { cluster, database, units, homes, dedicated } = place;
  const pools = units
    .filter(({ shared }) => shared)
    .map((unit) => ({
      name: unit.id.replace(/^pool:/, ''),
      schema: unit.schema,
      rules: rulesOfPool(fleet.settings, unit),
    }));
  const asked: RuleHome[] = ['any'];
  if (pools.length > 0) asked.push('pool');
  if (homes.length > 0 && !dedicated) asked.push('schema');
  const { tenancy } = fleet.settings;
  return fleet
    .connections(cluster)
    .use(database, (session) => applyRules(asked, { session, cluster, tenancy, pools, homes, dedicated }));
}

/** One snapshot, in a transaction that cannot write. */
function applyRules(homes: readonly RuleHome[], context: RuleContext): Promise<Finding[]> {
  const observes = context.pools.some(({ rules: { mode } }) => mode === 'observe');
  const asked = observes ? [...CATALOG_RULES, ...OBSERVED_RULES] : CATALOG_RULES;
  const rules = asked.filter(({ home }) => homes.includes(home));
  return context.session.transaction(async () => {
    const findings: Finding[] = [];
    for (const rule of rules) findings.push(...(await rule.find(context)));
    return asObserved(`${context.cluster}/${context.session.database}`, context.pools, findings);
  }, 'begin transaction isolation level repeatable read read only');
}
