import type { LostRecords } from '../../core/uninstall.js';
import type { Connection } from '../../pg/connection.js';
import { raw } from '../../pg/sql.js';

/** What is in the catalog and nowhere else, with the commands that keep a copy. */
export async function lostWith(catalog: Connection): Promise<LostRecords[]> {
  const row = await catalog.row<{ audit: number; certificates: number; tombstones: number; runs: number }>(
    raw(`
    select (select count(*)::int from tenantctl_catalog.audit) as audit,
           (select count(*)::int from tenantctl_catalog.certificates) as certificates,
           (select count(*)::int from tenantctl_catalog.tenants where status = 'deleted') as tombstones,
           (select count(*)::int from tenantctl_catalog.runs) as runs`),
  );
  const { audit = 0, certificates = 0, tombstones = 0, runs = 0 } = row ?? {};
  return [
    {
      what: `${audit === 1 ? 'entry' : 'entries'} of the audit log`,
      count: audit,
      keep: 'tenantctl audit checkpoint --file audit.ndjson; tenantctl audit list --after 0 --limit 1000 --json, and on from the last seq',
    },
    {
      what: certificates === 1 ? 'certificate of a deletion' : 'certificates of deletions',
      count: certificates,
      keep: 'tenantctl certificate <id> --out <id>.certificate.json, and tenantctl certificate key > fleet.pub.pem',
    },
    {
      what:
        tombstones === 1
          ? 'id of a deleted tenant, which is then free to be used again'
          : 'ids of deleted tenants, which are then free to be used again',
      count: tombstones,
      keep: "tenantctl list --select 'status=deleted' --json",
    },
    {
      what: runs === 1 ? 'run of migrations' : 'runs of migrations',
      count: runs,
      keep: 'tenantctl runs show <run> --json',
    },
  ].filter(({ count }) => count > 0);
}
