import { randomUUID } from 'node:crypto';
import { type TenantctlError, conflictError, refusedError } from '../../core/errors.js';
import { type MoveReport, standingOf } from '../../core/move.js';
import { parseTenantId } from '../../core/tenant.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { type StoredMove, moveInsert, openMoveOf } from '../../engine/catalog/moves.js';
import { clusterUpsert, poolUpsert } from '../../engine/catalog/places.js';
import { statusUpdate } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, sql } from '../../pg/sql.js';
import { alone } from '../tenant-lock.js';
import { goOn } from './conduct.js';
import { type MoveIntent, intentOf, resumeSteps } from './intent.js';
import type { MovePlan, PromoteRequest } from './move-plan.js';
import { planMove, sameDestination } from './plan.js';
import { toReport } from './report.js';

export type { MovePlan, PromoteRequest } from './move-plan.js';

/** A move as it stands; what would be done, for `dryRun`; or that nothing is to be done. */
export type PromoteResult = MoveReport | MoveIntent | { plan: MovePlan } | { tenant: string; already: true };

/**
 * Moves one tenant to another tier, pool or cluster while it is written to. The same call again goes on with a move
 * that did not come to its end.
 *
 * @throws usage error (exit 2) · conflict (exit 5) when the tenant is not active, or is being moved elsewhere
 * @throws refusal `PREFLIGHT_FAILED` (exit 6) that names every finding; nothing was changed
 * @throws partial error (exit 7) when it was interrupted or the cut-over did not fit; the move can be resumed
 * @throws difference error (exit 8) when the homes differ; the tenant is where it was
 */
export async function promote(
  fleet: Fleet,
  request: PromoteRequest,
  options: { dryRun: boolean },
): Promise<PromoteResult> {
  parseTenantId(request.id);
  const open = await fleet.catalog((connection) => openMoveOf(connection, request.id));
  if (open !== undefined) return joinMove(fleet, open, request, options.dryRun);
  const plan = await planMove(fleet, request);
  if (plan === null) return { tenant: request.id, already: true };
  if (options.dryRun) return { plan };
  const refusal = preflightRefusal(plan);
  if (refusal !== undefined) throw refusal;
  return goOn(fleet, await record(fleet, plan), { wait: request.wait ?? false });
}

/** The tenant is on its way already, or has just arrived and still has its old copy. */
async function joinMove(
  fleet: Fleet,
  open: StoredMove,
  request: PromoteRequest,
  dryRun: boolean,
): Promise<MoveReport | MoveIntent> {
  if (!sameDestination(open, request) || open.undo !== null) throw unfinished(open);
  if (open.state === 'grace') return toReport(open);
  return dryRun ? intentOf(open, resumeSteps(open)) : goOn(fleet, open, request);
}

/** Writes the move down; from here on the tenant is `moving`. */
async function record(fleet: Fleet, plan: MovePlan): Promise<{ move: string; tenant: string }> {
  const { tenant } = plan;
  const id = randomUUID();
  const cluster = fleet.cluster(plan.to.cluster);
  const pool = plan.to.pool === null ? undefined : cluster.pools[plan.to.pool];
  await alone(fleet, tenant, async (connection) => {
    try {
      await connection.atomically([
        clusterUpsert(cluster),
        ...(pool === undefined ? [] : [poolUpsert(cluster.name, pool)]),
        statusUpdate(tenant, 'moving'),
        stillAt(tenant, plan.from.epoch),
        moveInsert({ id, ...plan }, fleet.actor),
        auditInsert(fleet.actor, {
          action: 'tenant.move',
          phase: 'intent',
          tenant,
          details: { move: id, method: plan.method, from: plan.from, to: plan.to },
        }),
      ]);
    } catch (error) {
      if (sqlstateOf(error) === '22012') throw planStale(tenant, error);
      throw sqlstateOf(error) === 'TC021' ? notActive(tenant, error) : error;
    }
  });
  fleet.emit({
    type: 'move.started',
    move: id,
    tenant,
    from: plan.from.tier,
    to: plan.to.tier,
    method: plan.method,
  });
  fleet.reach('move.recorded');
  return { move: id, tenant };
}

/** The statement that fails, by a division by zero, when the tenant has been moved since the plan was made. */
function stillAt(tenant: string, epoch: number): Sql {
  return sql`select 1 / count(*) from tenantctl_catalog.placements where tenant = ${tenant} and until is null and epoch = ${epoch}`;
}

function planStale(tenant: string, cause: unknown) {
  return conflictError('MOVE_PLAN_STALE', `Tenant ${tenant} has been moved since this move was planned.`, {
    hint: 'Nothing was changed. Run the same command again.',
    facts: { tenant },
    cause,
  });
}

/** Why a planned move would be refused; undefined when nothing stands in its way. */
export function preflightRefusal({ tenant, findings }: MovePlan): TenantctlError | undefined {
  const errors = findings.filter(({ level }) => level === 'error');
  if (errors.length === 0) return undefined;
  return refusedError(
    'PREFLIGHT_FAILED',
    [
      `Tenant ${tenant} is not moved; nothing was changed. ${errors.length === 1 ? 'One finding' : `${errors.length} findings`}:`,
      ...errors.map(({ where, message, hint }) => `  ${where}: ${message}\n    ${hint}`),
    ].join('\n'),
    {
      hint: 'Mend these and run the same command again; --dry-run shows the whole plan.',
      facts: { tenant, findings },
    },
  );
}

function unfinished({ move, tenant, state, to, undo }: MoveReport) {
  return conflictError(
    'MOVE_UNFINISHED',
    `Tenant ${tenant} has a move to tier ${to.tier} on cluster ${to.cluster} that is ${standingOf(state)}.`,
    {
      hint:
        state === 'grace' && undo === null
          ? `\`tenantctl moves complete ${tenant}\` ends its grace period, \`tenantctl moves undo ${tenant}\` takes it back.`
          : `\`tenantctl moves resume ${tenant}\` goes on with it${undo === null ? `, \`tenantctl moves abort ${tenant}\` takes it back` : ''}.`,
      facts: { move, tenant, state },
    },
  );
}

function notActive(tenant: string, cause: unknown) {
  return conflictError('TENANT_STATUS', `Tenant ${tenant} cannot be moved: ${(cause as Error).message}.`, {
    hint: 'Only an active tenant is moved; `tenantctl show` says what this one is.',
    facts: { tenant },
    cause,
  });
}
