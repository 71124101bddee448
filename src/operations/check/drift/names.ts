import type { MigrationUnit } from '../../../core/unit.js';

const NAMED = 3;

/** `schema:acme`, `schema:acme and schema:beta`, `schema:acme, schema:beta, schema:crux and 9 more` */
export function nameFew(names: readonly string[]): string {
  const shown = names.slice(0, NAMED);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest.toLocaleString('en')} more`;
  return shown.length === 1 ? String(shown[0]) : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

export const idsOf = (units: readonly MigrationUnit[]): string[] => units.map(({ id }) => id);

export const tenantsIn = (units: readonly MigrationUnit[]): number =>
  units.reduce((sum, { tenantCount }) => sum + tenantCount, 0);

/** `1 unit`, `2,000 units` */
export const count = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;

/** Where something is that is so in these units, of all there are. */
export function whereOf(units: readonly MigrationUnit[], all: number): string {
  return units.length === all && all > 1 ? 'all units' : nameFew(idsOf(units));
}
