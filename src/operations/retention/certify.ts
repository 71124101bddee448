import type { Rescan, Residue, ScopePlace } from '../../core/certificate.js';
import type { Tenant } from '../../core/tenant.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { offboardingStep } from '../../engine/catalog/offboardings.js';
import { unitForget } from '../../engine/catalog/places.js';
import { tombstone } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { type ServerResidue, serverResidue, tableResidue } from '../../engine/retention/residue.js';
import { readScope } from '../../engine/rows/scope.js';
import { inSide } from '../../engine/rows/side.js';
import { issueCertificate } from '../certificate/issue.js';
import { toTenant } from '../home.js';
import { runLifecycleHooks } from '../lifecycle-hooks.js';
import type { Departure } from './departure.js';
import { type Evidence, type Look, rowsIn } from './evidence.js';

/** A tenant that was deleted, as the command tells it. */
export interface DeletedTenant {
  tenant: string;
  certificate: string;
  rows: number;
  export: string | null;
}

/**
 * Writes the certificate and the tombstone, in one transaction: a tenant is deleted when it says so and can prove it.
 * What named people in the catalog goes with it.
 */
export async function certify(
  fleet: Fleet,
  departure: Departure,
  evidence: Evidence,
): Promise<DeletedTenant> {
  const { offboarding, record } = departure;
  const { id, key, tier, owner, unit } = record;
  const residue = await residueOf(fleet, departure);
  const rescan = evidence.rescan as Look;
  const certificate = await fleet.catalog(async (connection) => {
    const { document, statements } = await issueCertificate(fleet, connection, offboarding, {
      tenant: { id, tier, key, owner },
      withoutExport: 'the request left it out',
      holdCheck: { at: evidence.holdCheckedAt, held: false, placementsRead: 1 },
      scope: scopeOf(departure),
      deletion: { begunAt: evidence.begunAt, endedAt: evidence.endedAt ?? rescan.at },
      objects: evidence.objects,
      rescan: rescanOf(rescan, evidence.control),
      residue,
    });
    const name = document.certificate.certificate;
    await connection.atomically([
      ...statements,
      offboardingStep(offboarding.offboarding, 'certified'),
      ...tombstone(id),
      unitForget(unit),
      auditInsert(fleet.actor, {
        action: 'tenant.purge',
        tenant: id,
        details: { offboarding: offboarding.offboarding, certificate: name, rows: rowsIn(evidence.objects) },
      }),
    ]);
    return name;
  });
  fleet.reach('retention.certified');
  const gone: Tenant = { ...toTenant(record), status: 'deleted', owner: null, labels: {} };
  await runLifecycleHooks(fleet, 'afterDelete', gone);
  return {
    tenant: id,
    certificate,
    rows: rowsIn(evidence.objects),
    export: offboarding.export?.directory ?? null,
  };
}

/** The control counts the rows of the plan and the placement, which even a tenant without rows has. */
function rescanOf(look: Look, control: Evidence['control']): Rescan {
  const { at, clusters, databases, readers, rows, notRead } = look;
  return {
    at,
    clusters,
    databases,
    readers,
    rowsFound: rows,
    notRead,
    control: { at: control.at, expected: control.expected, found: control.rows },
  };
}

function scopeOf({ home: { placement }, former }: Departure): ScopePlace[] {
  const { cluster, database, schema } = placement;
  return [
    { cluster, database, schema, found: 'its home by catalog and local placement' },
    ...former.map((place) => ({
      cluster: place.cluster,
      database: place.database,
      schema: place.schema,
      found: 'a home that it had left',
    })),
  ];
}

async function residueOf(fleet: Fleet, departure: Departure): Promise<Residue> {
  const { cluster } = departure.home.placement;
  const connections = fleet.connections(cluster);
  const server = await connections.use(connections.maintenanceDatabase, serverResidue);
  return {
    servers: [{ cluster, ...server }],
    tables: departure.side.shared ? await pagesOf(fleet, departure) : [],
    backups: backupsOf(fleet, cluster, server.at),
    notCovered: notCovered(fleet, server, departure.side.shared),
  };
}

async function pagesOf(fleet: Fleet, { side, offboarding }: Departure): Promise<Residue['tables']> {
  const { column, shared } = fleet.settings.tenancy;
  return inSide(fleet, side, offboarding.offboarding, async (session) => {
    const { tables } = await readScope(session, side, column, shared);
    return tableResidue(session, side, tables);
  });
}

function backupsOf({ settings }: Fleet, cluster: string, at: string): Residue['backups'] {
  return settings.backups
    .filter(({ clusters }) => clusters === null || clusters.includes(cluster))
    .map(({ name, clusters, expireAfterMs }) => ({
      name,
      clusters: clusters ?? ['all'],
      expireAfterMs,
      expiresAt: new Date(Date.parse(at) + expireAfterMs).toISOString(),
    }));
}

/** What the figures of the residue do not tell. */
function notCovered({ settings }: Fleet, server: ServerResidue, shared: boolean): string[] {
  const hidden = server.replicas.filter(({ replayLsn }) => replayLsn === null).length;
  return [
    ...(shared ? [] : ['The file system may keep the bytes of dropped files until it writes over them.']),
    ...(hidden > 0 ? [`${hidden} replicas are connected whose position this tool may not see.`] : []),
    ...(settings.backups.length === 0
      ? ['Backups: none are named in the configuration, so nothing is known of those that hold the data.']
      : []),
    'Logs of applications and servers, caches, search indexes, warehouses and exports are outside this tool.',
  ];
}
