import type { FleetStatus } from '../../operations/status.js';
import { count } from '../../core/counted.js';
import { table } from '../../render/table.js';

/** The fleet in a few lines: how many tenants of each tier, and at which migrations. */
export function fleetView({ tiers, versions }: FleetStatus): string {
  const homes = tiers.map(({ tier, tenants, units }) => [tier, count(tenants), count(units)]);
  const levels = versions.map(({ name, units }) => [name ?? 'none', count(units)]);
  return `${table(['tier', 'tenants', 'units'], homes)}\n\n${table(['migration', 'units'], levels)}`;
}

/** How many units stand at each migration, before and after a run. */
export function versionsView(before: FleetStatus, after: FleetStatus): string {
  const names = new Set([...before.versions, ...after.versions].map(({ name }) => name));
  const at = ({ versions }: FleetStatus, name: string | null) =>
    count(versions.find((version) => version.name === name)?.units ?? 0);
  return table(
    ['migration', 'units before', 'after'],
    [...names].map((name) => [name ?? 'none', at(before, name), at(after, name)]),
  );
}

/** Everything that migrates by itself. */
export function unitsOf({ tiers }: FleetStatus): number {
  return tiers.reduce((sum, { units }) => sum + units, 0);
}

export function tenantsOf({ tiers }: FleetStatus, tier?: string): number {
  return tiers
    .filter((candidate) => tier === undefined || candidate.tier === tier)
    .reduce((sum, { tenants }) => sum + tenants, 0);
}
