import { isWatching, rulesInWords, rulesOfPool } from '../../../core/pool-rules.js';
import { openTables } from '../../rows/open-tables.js';
import type { MoveFinding, PreflightRule } from './finding.js';

const NAMED = 5;

/** A tenant that was held apart until now must not find itself in tables that every tenant of the pool reads. */
export const openPool: PreflightRule = async ({ fleet, source, goal, target }) => {
  if (!goal.side.shared) return [];
  const { placement } = goal.side.home;
  const rules = rulesOfPool(fleet.settings, placement);
  if (!isWatching(rules.mode)) return [];
  const said = `Pool ${placement.pool} does not hold its tenants apart (rls: ${rulesInWords(rules)})`;
  const finding = (level: MoveFinding['level'], message: string): MoveFinding => ({
    rule: 'open-pool',
    level,
    where: goal.unit.id,
    message,
    hint: `List its tables under clusters.${placement.cluster}.pools.${placement.pool}.enforce, or set its rls to enforce, and run \`tenantctl migrate\`; \`tenantctl check isolation\` says what that changes.`,
  });
  if (target === null) return [finding('warning', `${said}: what its migrations leave open will be open.`)];
  const open = await openTables(target.session, placement.schema, fleet.settings.tenancy.column);
  if (open.length === 0) return [];
  const more = open.length > NAMED ? ` and ${open.length - NAMED} more` : '';
  const message = `${said}: every tenant of it would read and change the rows of this one in ${open.slice(0, NAMED).join(', ')}${more}.`;
  // Whoever comes out of such a pool loses nothing by going into another.
  const fromOpen =
    source.side.shared && isWatching(rulesOfPool(fleet.settings, source.side.home.placement).mode);
  return [finding(fromOpen ? 'warning' : 'error', message)];
};
