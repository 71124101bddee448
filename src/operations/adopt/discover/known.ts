import type { Tier } from '../../../core/tier.js';
import { hasLocalState } from '../../../engine/local/placements.js';
import type { Fleet } from '../../../engine/context.js';
import type { Connection } from '../../../pg/connection.js';
import { raw, sql } from '../../../pg/sql.js';
import { homeOf } from '../list/home.js';
import type { FoundPlace } from './found.js';

/** What is under management already, as the catalog knows it. */
export interface KnownTenants {
  /** Every id that was ever given; a deleted one is never given again. */
  ids: ReadonlySet<string>;
  /** The homes of today, as `homeOf` writes them. */
  homes: ReadonlySet<string>;
}

interface Row {
  id: string;
  key: string;
  tier: Tier | null;
  cluster: string;
  database: string;
  schema: string;
}

export async function knownTenants(fleet: Fleet): Promise<KnownTenants> {
  const rows = await fleet.catalog((catalog) =>
    catalog.rows<Row>(
      raw(`select t.id, t.key, p.tier, p.cluster, p.database, p.schema from tenantctl_catalog.tenants t
             left join tenantctl_catalog.placements p on p.tenant = t.id and p.until is null`),
    ),
  );
  const homes = rows.flatMap(({ tier, ...row }) => (tier === null ? [] : [homeOf({ tier, ...row })]));
  return { ids: new Set(rows.map(({ id }) => id)), homes: new Set(homes) };
}

/** What is under management in one database, as it knows itself: homes that tenants have left count as well. */
export class LocalHomes {
  private constructor(
    private readonly schemas: ReadonlySet<string>,
    private readonly keys: ReadonlySet<string>,
    private readonly adopted: ReadonlySet<string>,
  ) {}

  /** Reads it where there is some; nothing is installed by asking. */
  static async read(session: Connection): Promise<LocalHomes> {
    if (!(await hasLocalState(session))) return new LocalHomes(new Set(), new Set(), new Set());
    const placements = await session.rows<{ schema: string; key: string }>(
      raw('select schema, key from tenantctl.placement'),
    );
    return new LocalHomes(
      new Set(placements.map(({ schema }) => schema)),
      new Set(placements.map(({ schema, key }) => JSON.stringify([schema, key]))),
      await adoptedSchemas(session),
    );
  }

  /** Does nobody live here? */
  get empty(): boolean {
    return this.schemas.size === 0;
  }

  hasSchema(schema: string): boolean {
    return this.schemas.has(schema);
  }

  hasKey({ schema, key }: Pick<FoundPlace, 'schema' | 'key'>): boolean {
    return this.keys.has(JSON.stringify([schema, key]));
  }

  wasAdopted(schema: string): boolean {
    return this.adopted.has(schema);
  }
}

async function adoptedSchemas(session: Connection): Promise<Set<string>> {
  const there = await session.row<{ there: boolean }>(
    sql`select to_regclass('tenantctl.adopted') is not null as there`,
  );
  if (there?.there !== true) return new Set();
  const rows = await session.rows<{ schema: string }>(raw('select schema from tenantctl.adopted'));
  return new Set(rows.map(({ schema }) => schema));
}
