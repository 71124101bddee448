import path from 'node:path';
import { isTenantctlError } from '../../core/errors.js';
import type { ExportManifest } from '../../core/export-manifest.js';
import { formatDuration } from '../../core/duration.js';
import type { Fleet } from '../../engine/context.js';
import { exportTenant } from '../../operations/export.js';
import { offboardTenant } from '../../operations/offboard/offboard.js';
import { openBag } from '../../operations/restore/bag.js';
import { restoreTenant } from '../../operations/restore/restore.js';
import { placeHold, releaseHold } from '../../operations/retention/hold.js';
import { runRetention } from '../../operations/retention/run.js';
import { count, counted } from '../../core/counted.js';
import { table } from '../../render/table.js';
import { type Company, companyOn } from './companies.js';
import { type Demo, unexpected } from './demo.js';
import { EXPORTS } from './folder.js';
import type { DemoStep } from './step.js';

/** One of each tier; the first has a case at court. */
const LEAVING: readonly [id: string, plan: Company['plan']][] = [
  [companyOn('free', 1), 'free'],
  [companyOn('pro'), 'pro'],
  [companyOn('enterprise'), 'enterprise'],
];
export const [[HELD]] = LEAVING as [(typeof LEAVING)[number]];

export const leave: DemoStep = {
  name: 'leave',
  title: 'Three companies leave, one of each tier, and come back from their exports',
  why: 'Each is shut, exported and scheduled. On its day its rows are deleted, another role looks over the whole cluster, and a signed certificate says what was deleted and what may still hold it. A legal hold beats all of that. What was exported can be read without any database, and becomes a tenant again, row by row the same.',
  async run(demo) {
    const { narrator } = demo;
    narrator.command(`tenantctl offboard ${HELD} --retain 0s --basis "GDPR Art. 17"`);
    const exports = await demo.onFleet((fleet) => offboardAll(demo, fleet));
    narrator.command(`tenantctl retention hold ${HELD} --reason "case 2026-17"`);
    const refused = await demo.onFleet(holdAndTry);
    narrator.command('tenantctl retention run --yes');
    const began = performance.now();
    const { deleted, failed } = await demo.onFleet((fleet) => runRetention(fleet, { ids: [] }));
    const took = performance.now() - began;
    if (failed.length > 0 || deleted.length !== LEAVING.length)
      throw unexpected(`${deleted.length} of ${LEAVING.length} tenants were deleted.`);
    narrator.command(`tenantctl restore exports/${HELD} --as ${HELD}-back`);
    const equal = await demo.onFleet((fleet) => restoreAll(demo, fleet, exports));
    narrator.show(
      table(
        ['company', 'plan', 'exported', 'certificate', 'restored as', 'tables equal'],
        LEAVING.map(([id, plan]) => [
          id,
          plan,
          counted(exports.get(id)?.rows ?? 0, 'row'),
          deleted.find(({ tenant }) => tenant === id)?.certificate ?? '-',
          `${id}-back`,
          String(equal.get(id)),
        ]),
      ),
    );
    const rows = deleted.reduce((sum, one) => sum + one.rows, 0);
    return {
      did: `exported, held (${refused}), ${count(rows)} rows deleted with certificates in ${formatDuration(took)}, restored the same`,
      counts: { tenants: deleted.length, rows, refused, certificates: deleted.length },
    };
  },
};

interface Exported {
  directory: string;
  rows: number;
  manifest: ExportManifest;
}

async function offboardAll(demo: Demo, fleet: Fleet): Promise<Map<string, Exported>> {
  const exports = new Map<string, Exported>();
  for (const [id] of LEAVING) {
    const directory = path.join(demo.folder.path, EXPORTS, id);
    const request = { id, exportTo: directory, retainMs: 0, basis: 'GDPR Art. 17' };
    await offboardTenant(fleet, request, { dryRun: false });
    const { manifest } = await openBag(directory);
    const rows = manifest.tables.reduce((sum, one) => sum + one.rows, 0);
    exports.set(id, { directory, rows, manifest });
  }
  return exports;
}

/** @returns the code by which the deletion was refused */
async function holdAndTry(fleet: Fleet): Promise<string> {
  await placeHold(fleet, HELD, { dryRun: false });
  const refused = await runRetention(fleet, { ids: [HELD] }).then(
    () => 'nothing',
    (error: unknown) => (isTenantctlError(error) ? error.code : String(error)),
  );
  await releaseHold(fleet, HELD, { dryRun: false });
  return refused;
}

/** @returns how many tables of each are the same as they were, by count and hash of a new export */
async function restoreAll(
  demo: Demo,
  fleet: Fleet,
  exports: ReadonlyMap<string, Exported>,
): Promise<Map<string, number>> {
  const equal = new Map<string, number>();
  for (const [id, plan] of LEAVING) {
    const { directory, manifest } = exports.get(id) as Exported;
    await restoreTenant(fleet, { directory, id: `${id}-back`, plan });
    const again = path.join(demo.folder.path, EXPORTS, `${id}-back`);
    const result = await exportTenant(fleet, { id: `${id}-back`, directory: again }, { dryRun: false });
    if ('plan' in result) throw unexpected(`${id}-back was not exported.`);
    equal.set(id, equalTables(id, manifest, result.manifest));
  }
  return equal;
}

function equalTables(id: string, one: ExportManifest, other: ExportManifest): number {
  const sums = new Map(other.tables.map(({ table: name, rows, hash }) => [name, `${rows} ${hash}`]));
  const differing = one.tables.find(({ table: name, rows, hash }) => sums.get(name) !== `${rows} ${hash}`);
  if (differing !== undefined)
    throw unexpected(`table ${differing.table} of ${id} came back as another one.`);
  return one.tables.length;
}
