import { shortId } from '../core/short-id.js';
import type { MoveReport } from '../core/move.js';
import type { LegalHold, Offboarding } from '../core/offboarding.js';
import type { Tenant } from '../core/tenant.js';
import type { UnitVersion } from '../core/unit.js';
import { homeName } from './home-name.js';
import { oneLine } from './line.js';
import { recordsSection, sections, valueText } from './records.js';
import { properties, table } from './table.js';

/** One tenant, a property a line. */
export function tenantText(tenant: Tenant): string {
  return properties([
    ['tenant', tenant.id],
    ['status', tenant.status],
    ['tier', tenant.tier],
    ['plan', valueText(tenant.plan)],
    ['cluster', tenant.cluster],
    ['database', tenant.database],
    ['schema', tenant.schema],
    ...(tenant.pool === null ? [] : [['pool', tenant.pool] as const]),
    ['version', versionText(tenant.version)],
    ['key', tenant.key],
    ['labels', valueText(tenant.labels)],
    ['owner', valueText(tenant.owner)],
    ['epoch', String(tenant.epoch)],
    ['created', tenant.createdAt],
  ]);
}

/** Tenants as a table, with the way to the next page. */
export function tenantsText({ tenants, next }: { tenants: readonly Tenant[]; next: string | null }): string {
  if (tenants.length === 0) return 'no tenants';
  const rows = tenants.map((tenant) => [
    tenant.id,
    tenant.status,
    tenant.tier,
    valueText(tenant.plan),
    tenant.pool ?? `${tenant.database}.${tenant.schema}`,
    tenant.cluster,
    versionText(tenant.version),
  ]);
  const page = next === null ? '' : `more: --after ${next}`;
  return sections(table(['tenant', 'status', 'tier', 'plan', 'home', 'cluster', 'version'], rows), page);
}

/** Everything that is known of one tenant. */
export function tenantDetailText(detail: {
  tenant: Tenant;
  ledger: readonly object[];
  history: readonly object[];
  move: MoveReport | null;
  offboarding: Offboarding | null;
  held: readonly LegalHold[];
}): string {
  return sections(
    tenantText(detail.tenant),
    moveText(detail.move),
    leavingText(detail.offboarding),
    heldText(detail.held),
    recordsSection('Ledger', detail.ledger),
    recordsSection('History', detail.history),
  );
}

function moveText(move: MoveReport | null): string {
  if (move === null) return '';
  const { from, to, state, undo, graceUntil } = move;
  const stands = undo === null ? state : `going back, ${undo}`;
  const until = state === 'grace' && graceUntil !== null ? ` until ${graceUntil}` : '';
  return `Move\n${homeName(from)} to ${homeName(to)}: ${stands}${until} (tenantctl moves show ${shortId(move.move)})`;
}

function leavingText(offboarding: Offboarding | null): string {
  if (offboarding === null) return '';
  const { state, dueAt, due, export: exported, begunAt } = offboarding;
  const when = begunAt === null ? `${due ? 'due since' : 'due'} ${dueAt}` : `its deletion began ${begunAt}`;
  return `Offboarding\n${state}, ${when}; export: ${exported?.directory ?? 'none'} (tenantctl retention list)`;
}

function heldText(held: readonly LegalHold[]): string {
  if (held.length === 0) return '';
  const lines = held.map(
    ({ placedAt, author, reason }) => `since ${placedAt} by ${author}: ${oneLine(reason)}`,
  );
  return `On hold\n${lines.join('\n')}`;
}

/** `0014_activity_2027`: the name of a migration begins with its number. */
export function versionText(version: UnitVersion | null): string {
  return version?.name ?? '-';
}
