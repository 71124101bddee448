import type { Fleet } from '../../engine/context.js';
import { type ProvisionedMany, provisionMany } from '../../operations/provision-many.js';
import { fleetStatus } from '../../operations/status.js';
import { counted } from '../../core/counted.js';
import { COMPANIES, companyRows } from './companies.js';
import { unexpected } from './demo.js';
import { fleetView, tenantsOf, unitsOf } from './fleet-view.js';
import type { DemoStep } from './step.js';

export const settle: DemoStep = {
  name: 'provision',
  title: `Provision ${COMPANIES.length} companies over three tiers`,
  why: 'The free plan shares tables behind row-level security, pro has a schema each, enterprise a database each, made from a template. The same SQL files serve all three; every tenant gets place, role, grants, migrations, seed and an audit entry.',
  async run(demo) {
    demo.narrator.command('tenantctl provision --from companies.csv');
    const { result, status } = await demo.onFleet(async (fleet) => ({
      result: await provisionAll(fleet),
      status: await fleetStatus(fleet, {}),
    }));
    const [failure] = result.failed;
    if (failure !== undefined)
      throw unexpected(`${failure.id} was not provisioned: ${failure.message} (${failure.code})`);
    demo.narrator.show(fleetView(status));
    const each = Math.round(result.durationMs / result.created);
    demo.narrator.show(`${counted(result.created, 'tenant')}, one every ${each} ms`);
    const tiers = { pool: tenantsOf(status, 'pool'), schema: tenantsOf(status, 'schema') };
    const database = tenantsOf(status, 'database');
    return {
      did: `${result.created} tenants: ${tiers.pool} in a pool, ${tiers.schema} schemas, ${database} databases`,
      counts: { tenants: result.created, ...tiers, database, units: unitsOf(status) },
    };
  },
};

/** Says how many there will be, so that the progress line can count down to the end. */
async function provisionAll(fleet: Fleet): Promise<ProvisionedMany> {
  const units = COMPANIES.length;
  fleet.emit({ type: 'run.started', kind: 'provision', units, tenants: units, target: null });
  const result = await provisionMany(fleet, companyRows(), { dryRun: false });
  const [succeeded, failed] = [result.created + result.existing, result.failed.length];
  const pending = units - succeeded - failed;
  fleet.emit({
    type: 'run.finished',
    status: pending > 0 ? 'paused' : failed > 0 ? 'partial' : 'succeeded',
    totals: { units, tenants: units, succeeded, failed, skipped: 0, rolledBack: 0, pending },
    durationMs: result.durationMs,
  });
  return result;
}
