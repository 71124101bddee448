import { isTenantctlError } from '../../core/errors.js';
import { groupBy, indexBy } from '../../core/group-by.js';
import { tenantKey } from '../../core/tenant-key.js';
import { type KnownUnit, readKnownUnits } from '../../engine/catalog/adopted-units.js';
import { type KnownTenant, readKnown } from '../../engine/catalog/rebuild.js';
import type { Fleet } from '../../engine/context.js';
import type { ListedTenant, ListedUnit, RowProblem } from './listed.js';

/** A tenant that is not in the catalog yet, with its key. */
export type NewTenant = ListedTenant & { key: string };

/** A unit of the list beside what the catalog knows of it. */
export interface SiftedUnit {
  listed: ListedUnit;
  tenants: NewTenant[];
  /** Tenants that are under management already. */
  existing: number;
  /** Did this tool make it? Then nothing but its new tenants is taken in. */
  native: boolean;
}

/** What the catalog says of the units of a list. */
export class Known {
  private readonly byId: Map<string, KnownTenant>;
  private readonly byKey: Map<string, KnownTenant>;
  private readonly byPlace: Map<string, KnownTenant[]>;
  private readonly units: Map<string, KnownUnit>;

  private constructor(
    tenants: readonly KnownTenant[],
    units: readonly KnownUnit[],
    private readonly columnType: string,
  ) {
    this.byId = indexBy(tenants, ({ id }) => id);
    this.byKey = indexBy(tenants, ({ key }) => key);
    this.byPlace = groupBy(
      tenants.filter(({ status }) => status !== 'deleted'),
      placeOf,
    );
    this.units = indexBy(units, ({ id }) => id);
  }

  static async read(fleet: Fleet): Promise<Known> {
    const [tenants, units] = await fleet.catalog(
      async (connection) => [await readKnown(connection), await readKnownUnits(connection)] as const,
    );
    return new Known(tenants, units, fleet.settings.tenancy.columnType);
  }

  /** Units that were adopted at some time. */
  adopted(): KnownUnit[] {
    return [...this.units.values()].filter(({ adopted }) => adopted);
  }

  /** Parts the tenants of a unit into new ones and those that are there; whoever cannot be is told by line. */
  sift(listed: ListedUnit, problems: RowProblem[]): SiftedUnit | null {
    const sifted: SiftedUnit = { listed, tenants: [], existing: 0, native: this.isNative(listed) };
    for (const tenant of listed.tenants) {
      const problem = this.problemOf(listed, tenant);
      if (problem !== null) problems.push({ line: tenant.line, id: tenant.id, message: problem });
      else if (this.byId.has(tenant.id)) sifted.existing += 1;
      else
        sifted.tenants.push({
          ...tenant,
          key: tenantKey(tenant.key ?? undefined, this.columnType, tenant.id),
        });
    }
    return sifted.tenants.length + sifted.existing === 0 ? null : sifted;
  }

  private isNative({ unit }: ListedUnit): boolean {
    return this.units.get(unit.id)?.adopted === false;
  }

  private problemOf(listed: ListedUnit, { id, key }: ListedTenant): string | null {
    const { cluster, database, schema, shared } = listed.unit;
    const known = this.byId.get(id);
    if (known?.status === 'deleted') return `tenant ${id} was deleted, and an id is never used again`;
    if (known !== undefined && placeOf(known) !== placeOf(listed.unit))
      return `tenant ${id} is known already, in schema ${known.schema} of database ${known.database} on ${known.cluster}`;
    if (known !== undefined) return null;
    if (shared && key === null)
      return `a tenant of a pool needs its tenantKey, the value in the tenant column`;
    const holder = key === null ? undefined : this.byKey.get(key);
    if (holder !== undefined) return `key ${key} is that of tenant ${holder.id}`;
    const [inhabitant] = shared ? [] : (this.byPlace.get(placeOf(listed.unit)) ?? []);
    if (inhabitant !== undefined)
      return `tenant ${inhabitant.id} lives in schema ${schema} of database ${database} on ${cluster} already`;
    return this.keyProblem(id, key);
  }

  private keyProblem(id: string, key: string | null): string | null {
    try {
      tenantKey(key ?? undefined, this.columnType, id);
      return null;
    } catch (error) {
      if (!isTenantctlError(error)) throw error;
      return error.message;
    }
  }
}

function placeOf({
  cluster,
  database,
  schema,
}: Pick<KnownTenant, 'cluster' | 'database' | 'schema'>): string {
  return JSON.stringify([cluster, database, schema]);
}
