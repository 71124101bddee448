import type { Fleet } from '../../../engine/context.js';
import type { Migration } from '../../../engine/ledger/migration.js';
import { LOCAL_STATE, installedVersion, newestVersion } from '../../../engine/ledger/own-schema.js';
import { type Played, playMigrations } from '../../../engine/shape/probe.js';
import { readShape } from '../../../engine/shape/read.js';
import { ShapeReferences } from '../../../engine/shape/references.js';
import type { Shape } from '../../../engine/shape/shape.js';
import { findReference } from '../../../engine/shape/stored.js';
import { type Kind, type Sort, majorityOf } from './alike.js';
import type { SeenUnit } from './survey.js';

/** What the units of a kind are compared with. */
export interface Standard {
  /** Null when nobody can tell. */
  shape: Shape | null;
  /** The sort that looks like that, if there is one. */
  sort: Sort | null;
  /** Is it known to be what the files make? */
  fromFiles: boolean;
  /** What the files make, where a run has stored it, or where there was nobody else to ask. */
  files: Shape | null;
  /** Why the files could not be played, if that was tried. */
  reason: string | null;
}

/** Reads shapes of units and files, and writes nothing: not even to the catalog. */
export class Standards {
  private readonly references: ShapeReferences;

  constructor(
    private readonly fleet: Fleet,
    migrations: readonly Migration[],
  ) {
    this.references = new ShapeReferences(fleet, migrations, null);
  }

  /**
   * What the files make decides where a run has found a unit that looks so (docs/decisions/0004); otherwise what most tenants have. The files are
   * played, in a transaction that is rolled back, only where there is no second unit to ask, or no majority.
   */
  async of(kind: Kind): Promise<Standard> {
    const stored = await this.storedFor(kind);
    const right = kind.sorts.find(({ fingerprint }) => fingerprint === stored?.fingerprint);
    if (stored !== null && right !== undefined)
      return { shape: stored, sort: right, fromFiles: true, files: stored, reason: null };
    const majority = majorityOf(kind);
    if (kind.units.length > 1 && majority !== null) {
      const shape = await this.read(majority.units[0] as SeenUnit);
      return { shape, sort: majority, fromFiles: false, files: stored, reason: null };
    }
    const played = stored === null ? await this.play(kind, kind.files) : { shape: stored };
    const { shape } = played;
    const sort = kind.sorts.find(({ fingerprint }) => fingerprint === shape?.fingerprint) ?? null;
    const only = kind.units.length === 1 ? (kind.sorts[0] ?? null) : null;
    return {
      shape,
      sort: sort ?? only,
      fromFiles: sort !== null,
      files: shape,
      reason: played.reason ?? null,
    };
  }

  /** The shape of a unit as it is now; null when it is gone. */
  async read({ unit }: SeenUnit): Promise<Shape | null> {
    const shape = await this.fleet
      .connections(unit.cluster)
      .use(unit.database, (connection) => readShape(connection, unit.schema));
    return shape ?? null;
  }

  /** What files make on an empty schema; where our own part of the database is of another version, that is not tried. */
  async play(kind: Kind, files: readonly Migration[]): Promise<Played> {
    const { unit } = kind.units[0] as SeenUnit;
    const installed = await this.fleet
      .connections(unit.cluster)
      .use(unit.database, (connection) => installedVersion(connection, LOCAL_STATE));
    if (installed !== (await newestVersion(LOCAL_STATE)))
      return { shape: null, reason: `schema tenantctl in ${unit.database} is of another version` };
    return playMigrations(this.fleet, unit, files);
  }

  private async storedFor({ units, version, major }: Kind): Promise<Shape | null> {
    if (version === null) return null;
    for (const { unit } of new Map(units.map((one) => [one.unit.tier, one])).values()) {
      const key = await this.references.keyOf(unit, version, major);
      const found = await this.fleet.catalog((connection) => findReference(connection, key));
      if (found?.source === 'files') return found.shape;
    }
    return null;
  }
}
