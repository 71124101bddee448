import { auditInsert } from '../../engine/catalog/audit.js';
import type { Fleet } from '../../engine/context.js';
import { tryWithLock } from '../../pg/locks.js';
import type { FoundTenant } from './choose.js';
import { type RebuildPlan, planRebuild, rebuildInProgress } from './plan.js';
import { whereIs } from './read-homes.js';
import { writeTenant } from './write.js';

/** What a rebuild has added to the catalog, or would add. */
export interface Rebuilt {
  /** Ids of tenants that were added now; with a dry run none. */
  added: string[];
  /** One line a tenant that is added. */
  plan: string[];
  /** Tenants that the catalog knew already. */
  known: number;
  /** Tenants that were not added, and why. */
  left: { tenant: string; reason: string }[];
  /** What a person should look at. */
  remarks: string[];
  /** What no home knows, so that no rebuild brings it back. */
  lost: readonly string[];
}

const LOST: readonly string[] = [
  'deleted tenants: their tombstones and certificates; an id or key of theirs could be used again',
  'the audit log, and with it who has asked for what',
  'runs, proofs of shape, and which hooks were run',
  'where tenants lived before, and moves that are over',
  'versions that tenants were pinned to',
  'when an offboarding was due and who asked for it: its period begins anew',
];

/**
 * Makes the catalog again from what the homes of the fleet know. Only tenants that it lacks are added; what it says
 * already stays. Killed anywhere, the same call goes on.
 * @throws whatever `planRebuild` throws · conflict `REBUILD_IN_PROGRESS` (exit 5)
 */
export async function rebuildCatalog(fleet: Fleet, { dryRun }: { dryRun: boolean }): Promise<Rebuilt> {
  if (dryRun) return report(await planRebuild(fleet), []);
  return fleet.catalogHeld(async (catalog) => {
    const done = await tryWithLock(catalog, 'install', 'rebuild', async () => {
      const plan = await planRebuild(fleet);
      if (plan.tenants.length === 0) return report(plan, []);
      const note = (phase: 'intent' | 'done', tenants: number) =>
        catalog.atomically([
          auditInsert(fleet.actor, {
            action: 'catalog.rebuild',
            phase,
            details: { tenants, known: plan.known },
          }),
        ]);
      await note('intent', plan.tenants.length);
      const added: string[] = [];
      for (const tenant of plan.tenants) {
        fleet.signal.throwIfAborted();
        if (await writeTenant(fleet, catalog, tenant)) added.push(tenant.home.tenant);
        fleet.reach('rebuild.tenant-added');
      }
      await note('done', added.length);
      return report(plan, added);
    });
    if (done === undefined) throw rebuildInProgress();
    return done.value;
  });
}

function report({ tenants, known, left }: RebuildPlan, added: string[]): Rebuilt {
  const told = tenants.flatMap(({ home, remarks }) =>
    remarks.map((remark) => `tenant ${home.tenant}: ${remark}`),
  );
  return {
    added,
    plan: tenants.map(line),
    known,
    left,
    remarks: [...told, ...plansUnknown(tenants)],
    lost: LOST,
  };
}

function line({ home, move }: FoundTenant): string {
  const { tenant, status, epoch, holds } = home;
  const extra = [
    ...(move === null
      ? []
      : [`move ${move.id.slice(0, 8)} ${move.undo === null ? move.state : 'going back'}`]),
    ...(holds.length === 0 ? [] : ['on hold']),
  ];
  return `add tenant ${[tenant, status, `epoch ${epoch}`, ...extra].join(', ')}: ${whereIs(home)}`;
}

function plansUnknown(tenants: readonly FoundTenant[]): string[] {
  const moving = tenants.filter(({ move }) => move?.state === 'planned');
  return moving.map(
    ({ home }) =>
      `tenant ${home.tenant}: its move had not reached its point of no return; how far the copy had come is not known. \`tenantctl moves abort ${home.tenant}\` takes it back`,
  );
}
