import type { UnitVersion } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import { type Migration, migrationsFor } from '../../engine/ledger/migration.js';
import { type PlayedEach, playEach } from '../../engine/shape/play-each.js';
import { readShape } from '../../engine/shape/read.js';
import type { Shape } from '../../engine/shape/shape.js';
import type { Standing } from './judge.js';

/** Shapes that units are compared with: those of units, and those that the files make. Each is read or played once. */
export class Standards {
  private readonly played = new Map<string, Promise<PlayedEach>>();
  private readonly read = new Map<string, Promise<Shape | undefined>>();

  constructor(
    private readonly fleet: Fleet,
    private readonly migrations: readonly Migration[],
  ) {}

  /** How a unit looks, printed whole. */
  async of({ listed: { unit }, facts }: Standing): Promise<Shape | undefined> {
    const key = `${facts?.major} ${unit.shared} ${facts?.fingerprint}`;
    const known =
      this.read.get(key) ??
      this.fleet
        .connections(unit.cluster)
        .use(unit.database, (connection) => readShape(connection, unit.schema));
    this.read.set(key, known);
    return known;
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
