import { conflictError } from '../../core/errors.js';
import type { PublicKey } from '../../core/signature.js';
import { type Tenant, parseTenantId } from '../../core/tenant.js';
import { type TenantRecord, findTenant, requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import type { Home } from '../../engine/local/placements.js';
import type { Connection } from '../../pg/connection.js';
import { activateTenant, assertServable, planTenant, readVersion, recordTenant } from '../catalog-tenant.js';
import { deliverHooks } from '../deliver-hooks.js';
import { homeOf, toTenant } from '../home.js';
import { type Kit, kitFor } from '../kit.js';
import { type ProvisionRequest, assertSameRequest } from '../provision-plan.js';
import { alone } from '../tenant-lock.js';
import { type Bag, openBag, rowsOf } from './bag.js';
import { type Standing, makeHome } from './make-home.js';

/** A tenant that is made from an export. Everything but the folder has a default. */
export interface RestoreRequest extends Omit<ProvisionRequest, 'id' | 'seed'> {
  /** The folder of the export. */
  directory: string;
  /** Its new id; the one it had when that was never used here. */
  id?: string;
  /** Is the home to stay at the migration of the export? */
  atExport?: boolean;
  publicKey?: PublicKey;
}

/** What became of a restore. */
export interface Restored {
  tenant: Tenant;
  /** Rows of the tenant that came from the export. */
  rows: number;
  tables: { table: string; rows: number; hash: string }[];
  /** Count and hash of every table were compared with the export before the tenant was let in. */
  verified: true;
  /** False when all was done already. */
  restored: boolean;
  durationMs: number;
}

/**
 * Makes a new tenant of an export, or finishes one that a crash left half made. Nobody is let in before every row is
 * compared with what the export says.
 * @throws what `openBag` throws · conflict (exit 5) when id, key or place is taken · refusal (exit 6) when the export
 *   does not fit · difference error `RESTORE_DIFFERS` (exit 8) · partial error (exit 7) when a hook failed
 */
export async function restoreTenant(fleet: Fleet, request: RestoreRequest): Promise<Restored> {
  const began = performance.now();
  const bag = await openBag(request.directory, request.publicKey);
  const asked = requestOf(request, bag);
  const kit = await kitFor(fleet, {});
  return alone(fleet, asked.id, async (connection) => {
    const restored = await restoreLocked(fleet, connection, kit, bag, asked, request.atExport === true);
    const tenant = toTenant(await requireTenant(connection, asked.id));
    const durationMs = Math.round(performance.now() - began);
    const again = `tenantctl restore ${bag.directory} --as ${asked.id}`;
    await deliverHooks(fleet, { tenant, created: restored, durationMs }, again);
    return { tenant, ...whatCame(bag), verified: true, restored, durationMs };
  });
}

/** The same as what `provision` is asked for, with the id of the export as default. */
export function requestOf(request: RestoreRequest, { manifest }: Bag): ProvisionRequest {
  const { directory: _directory, atExport: _at, publicKey: _key, id = manifest.tenant.id, ...rest } = request;
  return { ...rest, id: parseTenantId(id) };
}

function whatCame({ manifest }: Bag): Pick<Restored, 'rows' | 'tables'> {
  const tables = manifest.tables.filter(({ kind }) => kind === 'tenant');
  return {
    rows: rowsOf(manifest),
    tables: tables.map(({ table, rows, hash }) => ({ table, rows, hash })),
  };
}

async function restoreLocked(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  bag: Bag,
  request: ProvisionRequest,
  atExport: boolean,
): Promise<boolean> {
  const known = await findTenant(connection, request.id);
  if (known !== undefined) assertSameRestore(known, request, bag, fleet.settings.tenancy.columnType);
  if (known !== undefined && known.status !== 'provisioning') return false;
  const origin = {
    action: 'tenant.restore',
    restoredFrom: bag.manifestSha256,
    details: { manifest: bag.manifestSha256, from: bag.manifest.tenant.id, rows: rowsOf(bag.manifest) },
  } as const;
  const planned = known === undefined ? await planTenant(fleet, connection, kit, request) : undefined;
  const home = planned?.home ?? homeOf(fleet, known as TenantRecord);
  const standing: Standing = await makeHome(fleet, {
    bag,
    home,
    kit,
    atExport,
    known: known !== undefined,
    async record() {
      if (planned !== undefined) await recordTenant(fleet, connection, planned, origin);
      fleet.reach('restore.recorded');
    },
  });
  assertServable(home, standing);
  await activate(fleet, connection, kit, home, origin, standing);
  return true;
}

async function activate(
  fleet: Fleet,
  connection: Connection,
  kit: Kit,
  home: Home,
  origin: Parameters<typeof activateTenant>[4],
  admission: Standing,
): Promise<void> {
  const version = await readVersion(fleet, home);
  await activateTenant(fleet, connection, kit, home, origin, { version, admission });
  fleet.reach('restore.activated');
}

/**
 * The same export again is answered or gone on with; anything else is not what this id stands for.
 * @throws conflict `TENANT_GONE`, `TENANT_DIFFERS`, `TENANT_EXISTS` or `TENANT_RESTORING` (exit 5)
 */
export function assertSameRestore(
  known: TenantRecord,
  request: ProvisionRequest,
  { manifestSha256, directory }: Bag,
  columnType: string,
): void {
  const { id, status, restoredFrom } = known;
  if (restoredFrom === manifestSha256 || status === 'deleted' || status === 'offboarding')
    return assertSameRequest(known, request, columnType);
  if (status === 'provisioning' && restoredFrom !== null)
    throw conflictError('TENANT_RESTORING', `Tenant ${id} is being restored from another export.`, {
      hint: `Finish that one first, whose manifest.json has sha256 ${restoredFrom}, or choose another id with --as.`,
      facts: { tenant: id, restoredFrom, given: manifestSha256 },
    });
  const half = status === 'provisioning';
  throw conflictError(
    'TENANT_EXISTS',
    half
      ? `Tenant ${id} is half made by \`tenantctl provision\`.`
      : `Tenant ${id} is there already, and ${status}.`,
    {
      hint: half
        ? `\`tenantctl provision ${id}\` finishes it; choose another id with --as.`
        : `Choose another id: \`tenantctl restore ${directory} --as ${id}-restored\`. To put the export in the place of its rows: --into ${id} --replace.`,
      facts: { tenant: id, status },
    },
  );
}
