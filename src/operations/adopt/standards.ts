import { isTenantctlError } from '../../core/errors.js';
import type { UnitVersion } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import { type Migration, migrationsFor } from '../../engine/ledger/migration.js';
import { type PlayedEach, playEach } from '../../engine/shape/play-each.js';
import { readShape } from '../../engine/shape/read.js';
import type { Shape } from '../../engine/shape/shape.js';
import { isDatabaseError } from '../../pg/errors.js';
import type { Standing } from './judge.js';

/** Units of one look that are asked for it, one after the other. */
const TRIES = 3;

/** Shapes that units are compared with: those of units, and those that the files make. Each is read or played once. */
export class Standards {
  private readonly played = new Map<string, Promise<PlayedEach>>();
  private readonly read = new Map<string, Promise<Shape | undefined>>();

  constructor(
    private readonly fleet: Fleet,
    private readonly migrations: readonly Migration[],
  ) {}

  /** How units that look alike look, printed whole; undefined where the first ones do not look so any more. */
  async of(alike: readonly Standing[]): Promise<Shape | undefined> {
    const [{ listed, facts }] = alike as [Standing, ...Standing[]];
    const key = `${facts?.major} ${listed.unit.shared} ${facts?.fingerprint}`;
    const known = this.read.get(key) ?? this.printed(alike.slice(0, TRIES));
    this.read.set(key, known);
    return known;
  }

  /** One may have been changed, dropped or locked since it was looked at, and the others have not. */
  private async printed(alike: readonly Standing[]): Promise<Shape | undefined> {
    for (const { listed, facts } of alike) {
      const { cluster, database, schema } = listed.unit;
      const shape = await this.fleet
        .connections(cluster)
        .use(database, (connection) => readShape(connection, schema))
        .catch(unlessRefused);
      if (shape?.fingerprint === facts?.fingerprint) return shape;
    }
    return undefined;
  }

  /** What the files up to a version make, or why that cannot be told. */
  async ofFiles(standing: Standing, version: UnitVersion | null): Promise<Shape | { reason: string }> {
    const played = await this.playedBeside(standing);
    if ('reason' in played) return played;
    return played.shapes.get(version?.id ?? 0) ?? { reason: 'there is no such file' };
  }

  /** The versions at which the files make a shape, oldest first; or why that cannot be told. */
  async versionsLike(standing: Standing): Promise<number[] | { reason: string }> {
    const played = await this.playedBeside(standing);
    if ('reason' in played) return played;
    return [...played.shapes]
      .filter(([, { fingerprint }]) => fingerprint === standing.facts?.fingerprint)
      .map(([id]) => id);
  }

  /** Files are played once for each major version and kind of unit, in the database of the first one that asks. */
  private playedBeside({ listed: { unit }, facts }: Standing): Promise<PlayedEach> {
    const key = `${facts?.major} ${unit.tier}`;
    const known =
      this.played.get(key) ??
      this.fleet
        .connections(unit.cluster)
        .use(unit.database, (connection) =>
          playEach(this.fleet, connection, unit, migrationsFor(this.migrations, unit.tier)),
        );
    this.played.set(key, known);
    return known;
  }
}

function unlessRefused(error: unknown): undefined {
  if (isDatabaseError(error) || isTenantctlError(error)) return undefined;
  throw error;
}
