import { adminRights } from './admin-rights.js';
import { createRights, truncateRights } from './application-rights.js';
import { applicationRole } from './application-role.js';
import { extensions } from './extensions.js';
import type { MoveFinding, PreflightContext, PreflightRule } from './finding.js';
import { keysAcrossTheBorder, keysWithoutTenant } from './foreign-keys.js';
import { keysNotLeakproof, tablesWithoutKey } from './keys.js';
import { openPool } from './open-pool.js';
import { placeTaken } from './place.js';
import { livePools } from './pools.js';
import { referenceTables } from './references.js';
import { runInFlight } from './runs.js';
import { shapes } from './shape.js';
import { takenValues, weakenedUniques } from './unique-values.js';
import {
  inheritedTables,
  materializedViews,
  rowsOfOthers,
  rulesInOwnHomes,
  tablesWithoutColumns,
  unloggedTables,
} from './unusual-tables.js';
import { largeObjects, objectNames } from './values.js';
import { versions } from './version.js';

const RULES: readonly PreflightRule[] = [
  runInFlight,
  versions,
  shapes,
  referenceTables,
  placeTaken,
  adminRights,
  applicationRole,
  extensions,
  tablesWithoutKey,
  tablesWithoutColumns,
  keysNotLeakproof,
  largeObjects,
  objectNames,
  keysAcrossTheBorder,
  keysWithoutTenant,
  unloggedTables,
  inheritedTables,
  materializedViews,
  rulesInOwnHomes,
  rowsOfOthers,
  weakenedUniques,
  takenValues,
  livePools,
  openPool,
  truncateRights,
  createRights,
];

/** Everything that stands in the way of a move, errors first. */
export async function preflight(context: PreflightContext): Promise<MoveFinding[]> {
  const findings: MoveFinding[] = [];
  for (const rule of RULES) findings.push(...(await rule(context)));
  return findings.toSorted((one, other) => one.level.localeCompare(other.level));
}
