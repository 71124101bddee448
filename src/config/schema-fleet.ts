import * as z from 'zod';
import { RLS_MODES } from '../core/settings.js';
import { TIERS } from '../core/tier.js';
import { connectionUrl, identifier, labels, name, oneOf, schemaName, text, wholeNumber } from './kinds.js';
import { duration, size, timeout } from './quantities.js';
import { setting, typed } from './setting.js';

const catalogUrl = setting(connectionUrl(), "Admin URL of the catalog's database.", {
  secret: true,
  flag: 'catalog',
});

export const catalog = setting(
  typed(z.union([z.literal('local'), z.strictObject({ url: catalogUrl })]), '`local` or `{ url: … }`'),
  'Where the catalog lives: `local` is the local server under `.tenantctl/`.',
);

const pool = z.strictObject({
  database: setting(identifier(), 'Database that holds the shared tables.'),
  schema: setting(schemaName().default('app'), 'Schema that holds the shared tables.'),
  rls: setting(
    oneOf(RLS_MODES).optional(),
    'What is done about row-level security in this pool; default: `tenancy.rls`. Adopted pools start at `observe`.',
  ),
  enforce: setting(
    typed(z.array(identifier()).default([]), 'a list of table names'),
    'Tables that are enforced although the pool observes; `migrate` makes it so.',
  ),
});

const cluster = z.strictObject({
  url: setting(
    connectionUrl({ local: true }),
    'Direct admin connection, never stored; `local` with `catalog: local` is the local server.',
    { secret: true },
  ),
  app: setting(
    z
      .strictObject({
        host: setting(
          text().optional(),
          'Host that `route` prints for applications; default: the one in `url`.',
        ),
        port: setting(
          wholeNumber(1, 65_535).optional(),
          'Port that `route` prints; default: the one in `url`.',
        ),
      })
      .prefault({}),
    'Where applications connect.',
  ),
  region: setting(text().optional(), 'Region that plans can ask for.'),
  labels: setting(labels().default({}), 'Labels that plans can ask for.'),
  // With one, work in a new database would wait for the connection it was begun from.
  maxConnections: setting(
    wholeNumber(2, 10_000).default(20),
    "This tool's budget of connections on the server.",
  ),
  maxPerDatabase: setting(
    wholeNumber(1, 10_000).default(8),
    'The budget on one database; never more than `maxConnections`.',
  ),
  pools: setting(
    z.record(name(), pool).default({}),
    'Pools of shared tables; a name is used once in the fleet.',
  ),
  schemas: setting(
    z
      .strictObject({
        database: setting(
          identifier().optional(),
          "Database that holds tenant schemas; default: the first pool's, else the one in `url`.",
        ),
      })
      .prefault({}),
    'Where tenant schemas live.',
  ),
});

export const clusters = setting(
  z.record(name(), cluster).default({}),
  'PostgreSQL servers. With `catalog: local` and none here there is one, `local`, with one pool, `shared`.',
);

const plan = z.strictObject({
  tier: setting(oneOf(TIERS), 'Tier of its tenants.'),
  cluster: setting(name().optional(), 'Cluster of new tenants; default: the fitting one with most room.'),
  pool: setting(
    name().optional(),
    'Pool of new tenants (tier `pool`); default: the fitting one with most room.',
  ),
  region: setting(text().optional(), 'Region a cluster must have to fit.'),
  labels: setting(labels().default({}), 'Labels a cluster must have to fit.'),
  limits: setting(
    z
      .strictObject({
        connections: setting(
          wholeNumber(1, 100_000).optional(),
          'Most connections of one tenant; default: no limit.',
        ),
        statementTimeout: setting(
          timeout().optional(),
          "Longest statement of the tenant's role; default: no limit.",
        ),
        storage: setting(
          size().optional(),
          'Storage above which `status` reports the tenant; default: no limit.',
        ),
      })
      .prefault({}),
    'What one tenant may take.',
  ),
});

export const plans = setting(z.record(name(), plan).prefault({}), 'Named bundles of tier, home and limits.');

export const backups = setting(
  typed(
    z
      .array(
        z.strictObject({
          name: setting(name(), 'Name of the backup.'),
          clusters: setting(
            typed(z.array(name()), 'a list of cluster names').optional(),
            'Clusters it covers; default: all.',
          ),
          expireAfter: setting(duration(), 'How long a backup keeps what was deleted.'),
        }),
      )
      .prefault([]),
    'a list of backups',
  ),
  'Backups outside this tool, so that a certificate can say what still holds the data.',
);
