import pLimit from 'p-limit';
import { redact } from '../../core/redact.js';
import type { HealthCheck, WaveSettings } from '../../core/settings.js';
import { listTenantRecords, type TenantRecord } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { runHook } from '../../engine/hooks/run-hook.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { SurveyedUnit } from '../../engine/waves/survey.js';
import { raw } from '../../pg/sql.js';
import { homeOf, toTenant } from '../home.js';

/** A pool has too many tenants to ask each; so many of them stand for it. */
const TENANTS_OF_A_POOL = 10;

/**
 * Asks the health checks of a wave, in the context of each tenant of its units: SQL in a session as the
 * application has it, commands with the tenant as JSON on standard input. Suspended tenants are not asked.
 * @returns one sentence for each check that does not hold
 */
export async function checkHealth(
  fleet: Fleet,
  { checks }: WaveSettings,
  units: readonly SurveyedUnit[],
): Promise<{ unit: string; problem: string }[]> {
  const lane = pLimit(fleet.settings.rollout.concurrency);
  const found = await Promise.all(
    units.map(({ unit }) =>
      lane(async () => {
        const select = [[{ field: 'unit' as const, label: null, negated: false, pattern: unit.id }]];
        const tenants = await fleet.catalog((connection) =>
          listTenantRecords(connection, { select, limit: TENANTS_OF_A_POOL, after: null }),
        );
        const problems: { unit: string; problem: string }[] = [];
        for (const tenant of tenants.filter(({ status }) => status === 'active')) {
          for (const check of checks) {
            const problem = await ask(fleet, check, tenant);
            if (problem !== null)
              problems.push({ unit: unit.id, problem: `tenant ${tenant.id}: ${problem}` });
          }
        }
        return problems;
      }),
    ),
  );
  return found.flat();
}

async function ask(fleet: Fleet, check: HealthCheck, tenant: TenantRecord): Promise<string | null> {
  if ('sql' in check) return askSql(fleet, check.sql, tenant);
  const command = check.command.map((part) => part.replaceAll('{tenant}', tenant.id));
  return runHook(command, toTenant(tenant), fleet.settings.hooks);
}

async function askSql(fleet: Fleet, query: string, tenant: TenantRecord): Promise<string | null> {
  const home = homeOf(fleet, tenant);
  try {
    const row = await driverOf(home.placement.tier).open(fleet, home, (session) => session.row(raw(query)));
    const [first] = Object.values(row ?? {});
    return first === true ? null : `\`${query}\` gave ${JSON.stringify(first ?? null)}, not true`;
  } catch (error) {
    return redact(`\`${query}\`: ${error instanceof Error ? error.message : String(error)}`);
  }
}
