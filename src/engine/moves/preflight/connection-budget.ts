import type { MoveMethod } from '../../../core/move.js';
import type { Fleet } from '../../context.js';
import type { Side } from '../../rows/side.js';
import type { MoveFinding } from './finding.js';

/** Sessions that a move holds at the same time: in one database, or in either of two; a throttle asks the server in another. */
const IN_ONE = 5;
const IN_EACH = 3;

/**
 * Does the budget of connections hold the sessions of a move? Looking at both homes takes some of them, so this comes
 * before every other rule: with too few, the rules would wait for each other.
 */
export function connectionBudget(
  { settings }: Fleet,
  source: Side,
  goal: Side,
  method: MoveMethod,
): MoveFinding[] {
  const [from, to] = [source.home.placement, goal.home.placement];
  const sameCluster = from.cluster === to.cluster;
  const together = sameCluster && from.database === to.database;
  const inOne = together && method === 'online' ? IN_ONE : IN_EACH;
  const limits = Object.values(settings.rollout.throttle);
  const asking = method === 'online' && limits.some((limit) => limit !== null) ? 1 : 0;
  const onCluster = (sameCluster && method === 'online' ? IN_ONE : IN_EACH) + asking;
  return [...new Set([from.cluster, to.cluster])].flatMap((name) => {
    const cluster = settings.clusters[name];
    if (cluster === undefined) return [];
    return [
      ...tooFew(name, 'maxPerDatabase', cluster.maxPerDatabase, inOne),
      ...tooFew(name, 'maxConnections', cluster.maxConnections, onCluster),
    ];
  });
}

function tooFew(cluster: string, setting: string, found: number, needed: number): MoveFinding[] {
  if (found >= needed) return [];
  const where = `clusters.${cluster}.${setting}`;
  return [
    {
      rule: 'connections-too-few',
      level: 'error',
      where,
      message: `A move holds up to ${needed} connections there, and ${where} allows ${found}.`,
      hint: `Set ${where}: ${needed} or more in the configuration.`,
    },
  ];
}
