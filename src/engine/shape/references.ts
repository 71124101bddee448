import { createHash } from 'node:crypto';
import { tenancyOf } from '../../core/pool-rules.js';
import type { Tier } from '../../core/tier.js';
import type { MigrationUnit, UnitVersion } from '../../core/unit.js';
import type { Fleet } from '../context.js';
import { digestOf } from '../ledger/files.js';
import { type Migration, migrationsFor } from '../ledger/migration.js';
import { LOCAL_STATE, newestVersion } from '../ledger/own-schema.js';
import { Looks } from './looks.js';
import { type Played, playMigrations } from './probe.js';
import { groupByShape } from './shape.js';
import type { Shape } from './shape.js';
import { type Reference, type ShapeKey, findReference, keepReference } from './stored.js';

/** A unit whose fingerprint was read. */
export interface SeenUnit {
  unit: MigrationUnit;
  key: ShapeKey;
  fingerprint: string;
}

/**
 * What the units of a run are compared with, remembered for the run and stored for the next process. The
 * choice is that of docs/decisions/0004-what-a-unit-should-look-like.md: the files where any unit looks
 * as they say, else what most units look like, said aloud; a reference of the second sort gives way as soon
 * as a unit looks like the files.
 */
export class ShapeReferences {
  private readonly digests = new Map<string, Promise<string>>();
  private readonly played = new Map<string, Promise<Played>>();
  private readonly settled = new Map<string, Reference>();
  private readonly looks = new Map<string, Looks>();

  /**
   * @param migrations all migrations of the run's directory, frozen for the run
   * @param run the run in whose name references are stored
   */
  constructor(
    private readonly fleet: Fleet,
    private readonly migrations: readonly Migration[],
    private readonly run: string | null,
  ) {}

  /** What is known of a database from earlier looks: units of later batches mostly look like those of earlier ones. */
  looksAt(cluster: string, database: string): Looks {
    const key = `${cluster}\n${database}`;
    const looks = this.looks.get(key) ?? new Looks();
    this.looks.set(key, looks);
    return looks;
  }

  /** What decides how a unit has to look at a version, on a server of this major version. */
  async keyOf(unit: MigrationUnit, version: UnitVersion, major: number): Promise<ShapeKey> {
    const { tier, shared } = unit;
    const { settings } = this.fleet;
    // Pools with rules of their own look otherwise at the same version.
    const tenancy = JSON.stringify(shared ? tenancyOf(settings, unit) : settings.tenancy);
    const name = `${tier} ${version.id} ${tenancy}`;
    const digest = this.digests.get(name) ?? this.digestFor(tier, version.id, tenancy);
    this.digests.set(name, digest);
    return { tier, major, digest: await digest, version: version.id };
  }

  /**
   * The reference for units of one key, chosen from them where none is settled yet. Null when they cannot
   * tell either: the files cannot be played, and no shape is that of more than half of them.
   * @param read gives the lines of a unit
   */
  async settle(
    seen: readonly SeenUnit[],
    read: (unit: MigrationUnit) => Promise<Shape | undefined>,
  ): Promise<Reference | null> {
    const { key } = seen[0] as SeenUnit;
    const known = await this.known(key);
    if (known?.source === 'files') return known;
    const { shape } = await this.filesShape(seen[0] as SeenUnit);
    if (shape !== null && seen.some(({ fingerprint }) => fingerprint === shape.fingerprint))
      return this.keep(key, { shape, source: 'files', unit: null });
    if (known !== undefined) return known;
    const common = await this.mostCommon(seen, read);
    if (common !== null) return this.keepAloud(seen, common);
    return shape === null ? null : { shape, source: 'files', unit: null };
  }

  /** Why the files could not be played for these units, or null. */
  async reasonNotPlayed(seen: SeenUnit): Promise<string | null> {
    return (await this.filesShape(seen)).reason ?? null;
  }

  /** Everything that decides: the migrations, the rules of tenancy, and our own part in a pool. */
  private async digestFor(tier: Tier, version: number, tenancy: string): Promise<string> {
    return createHash('sha256')
      .update(digestOf(this.filesOf(tier, version)))
      .update(tenancy)
      .update(String(await newestVersion(LOCAL_STATE)))
      .digest('hex');
  }

  private filesOf(tier: Tier, version: number): Migration[] {
    return migrationsFor(this.migrations, tier).filter(({ id }) => id <= version);
  }

  private async known(key: ShapeKey): Promise<Reference | undefined> {
    const remembered = this.settled.get(idOf(key));
    if (remembered?.source === 'files') return remembered;
    const stored = await this.fleet.catalog((connection) => findReference(connection, key));
    if (stored !== undefined) this.settled.set(idOf(key), stored);
    return stored;
  }

  private async keep(key: ShapeKey, reference: Reference): Promise<Reference> {
    const kept = await this.fleet.catalog((connection) =>
      keepReference(connection, key, reference, this.run),
    );
    this.settled.set(idOf(key), kept);
    return kept;
  }

  private filesShape({ unit, key }: SeenUnit): Promise<Played> {
    const known = this.played.get(idOf(key));
    if (known !== undefined) return known;
    const playing = playMigrations(this.fleet, unit, this.filesOf(unit.tier, key.version));
    this.played.set(idOf(key), playing);
    playing.catch(() => this.played.delete(idOf(key)));
    return playing;
  }

  private async mostCommon(
    seen: readonly SeenUnit[],
    read: (unit: MigrationUnit) => Promise<Shape | undefined>,
  ): Promise<Reference | null> {
    const [largest] = groupByShape(new Map(seen.map(({ unit, fingerprint }) => [unit, fingerprint])));
    const unit = largest?.members[0];
    if (largest === undefined || unit === undefined || largest.members.length * 2 <= seen.length) return null;
    const shape = await read(unit);
    return shape === undefined ? null : { shape, source: 'units', unit: unit.id };
  }

  private async keepAloud(seen: readonly SeenUnit[], common: Reference): Promise<Reference> {
    const { key } = seen[0] as SeenUnit;
    const reason = await this.reasonNotPlayed(seen[0] as SeenUnit);
    const why = reason === null ? 'no unit looks as the files say' : `the files cannot be played: ${reason}`;
    this.fleet.emit(
      {
        type: 'notice',
        level: 'warning',
        code: 'SHAPE_FROM_UNITS',
        message: `Units of tier ${key.tier} at version ${key.version} are compared with ${common.unit}: ${why}.`,
      },
      this.run ?? undefined,
    );
    return this.keep(key, common);
  }
}

const idOf = ({ tier, major, digest }: ShapeKey): string => `${tier} ${major} ${digest}`;
