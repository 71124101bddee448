import type { DoctorRule } from '../doctor-rule.js';

/** Catalog against homes. */
export const HOME_RULES: readonly DoctorRule[] = [
  {
    name: 'unknown-home',
    level: 'error',
    summary: 'a home of a tenant that the catalog has never heard of',
    explanation:
      'A database holds a local placement for a tenant that is not in the catalog: it is not routed, migrated, exported or deleted. The catalog was restored from an older backup, or its row was taken away by hand. A home that was only begun, and answers nobody, is a warning.',
    remedy:
      'Bring a newer catalog back, or let `tenantctl doctor --rebuild-catalog` add the tenant as its home knows it.',
    mends: 'remove the home that was begun and holds no row',
  },
  {
    name: 'second-home',
    level: 'error',
    summary: 'a home that serves a tenant whom the catalog places elsewhere',
    explanation:
      'Two homes would answer for one tenant. An application with an old route writes into the wrong one, and these rows are lost to the tenant. Mostly a database was restored from before a move, or the catalog was.',
    remedy:
      'See with `tenantctl show <id>` where the tenant lives, look at what was written into the other home, and drop that copy by hand.',
    mends: null,
  },
  {
    name: 'missing-home',
    level: 'error',
    summary: 'a tenant whom the catalog places where there is no home of it, or one whose role is gone',
    explanation:
      'The local placement, the schema or the role that the route names is not there: every request of the tenant fails. A database was restored from before the tenant was provisioned, or somebody dropped or renamed something.',
    remedy:
      'Bring the database back from a backup, or the tenant from an export with `tenantctl restore`; give a renamed role its name back.',
    mends: null,
  },
  {
    name: 'missing-database',
    level: 'error',
    summary: 'a database in which the catalog places tenants, and that is gone',
    explanation:
      'It was dropped or renamed by hand, or the cluster’s URL leads to another server than before. All of its tenants are without a home.',
    remedy: 'Check the URL of the cluster; bring the database back under its name, from a backup if need be.',
    mends: null,
  },
  {
    name: 'home-differs',
    level: 'error',
    summary: 'a home with another key, tier, role, unit or epoch than the catalog has',
    explanation:
      'Policies and routes follow the home, everything else follows the catalog. With another key a tenant reads nothing, or another one’s rows; with an older epoch stale routes are taken for good ones. One of the two was restored from a backup, or was changed by hand.',
    remedy:
      'Find out which of the two is the older copy, and bring the newer one back. Neither is overwritten by this tool.',
    mends: null,
  },
  {
    name: 'description-differs',
    level: 'warning',
    summary: 'a home with other labels, plan, owner or status than the catalog has',
    explanation:
      'Nothing of the application depends on it, but a catalog that is made again from the homes would have it wrong. Where the home was changed after everything that the audit log tells of the tenant, the catalog may be the old copy, and the home is left as it is.',
    remedy: '`tenantctl doctor --fix`; where the catalog is the older copy, bring a newer one back.',
    mends: 'write to the home what the catalog says',
  },
  {
    name: 'admission-differs',
    level: 'error',
    summary: 'a home that refuses an active tenant, or serves one that is suspended or leaving',
    explanation:
      'The database itself decides who is served. A process died between the two, or a backup was restored from before a suspension.',
    remedy: '`tenantctl activate <id>` or `tenantctl suspend <id>` makes both say the same.',
    mends: 'close the home of a tenant that leaves',
  },
  {
    name: 'holds-differ',
    level: 'error',
    summary: 'a legal hold that only one of catalog and home knows',
    explanation:
      'Each transaction that deletes asks the home. A home that does not know of a hold would let rows go; a hold of which the catalog knows nothing keeps deletions waiting for ever. A process died between the two, or one of them was restored from a backup.',
    remedy:
      '`tenantctl doctor --fix` tells the home. A hold that only a home knows is placed again with `tenantctl retention hold`.',
    mends: 'tell the home which holds stand',
  },
  {
    name: 'version-differs',
    level: 'warning',
    summary: 'a version in the catalog that is not that of the ledger',
    explanation:
      '`status` and gates of deployments read the catalog. It lags behind after a crash of a run and after a restored database; the ledger beside the data is right.',
    remedy: '`tenantctl doctor --fix`, or the next `tenantctl migrate`.',
    mends: 'write the version of the ledger to the catalog',
  },
  {
    name: 'ledger-missing',
    level: 'error',
    summary: 'a migrated unit without a ledger',
    explanation:
      'The catalog says that the unit has migrations, and `tenantctl.ledger` has no row of it: the next migration would begin with the first file.',
    remedy:
      'Bring the rows of `tenantctl.ledger` back from a backup of that database before anything is migrated.',
    mends: null,
  },
  {
    name: 'ledger-without-home',
    level: 'warning',
    summary: 'a ledger of a unit in which nobody lives',
    explanation:
      'A new home of the same name would be taken for migrated and stay empty. A schema was dropped by hand, or a process died while it dropped one.',
    remedy: '`tenantctl doctor --fix` where the schema is gone; otherwise find out whose it is.',
    mends: 'take the rows of a schema that is gone out of the ledger',
  },
  {
    name: 'unknown-cluster',
    level: 'error',
    summary: 'tenants on a cluster that the configuration does not know',
    explanation:
      'Without a URL nothing there is looked at, migrated, moved or deleted, and a look over the fleet says nothing of it.',
    remedy: 'Give `clusters.<name>.url` in the configuration.',
    mends: null,
  },
  {
    name: 'pool-elsewhere',
    level: 'error',
    summary: 'a pool that the configuration does not know, or knows at another place',
    explanation:
      'A pool never changes its place. With another database or schema in the configuration new tenants would be made where the others are not.',
    remedy: 'Write it into the configuration as the finding has it, or give the other place another name.',
    mends: null,
  },
];
