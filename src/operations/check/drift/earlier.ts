import type { UnitVersion } from '../../../core/unit.js';
import type { Fleet } from '../../../engine/context.js';
import { sql } from '../../../pg/sql.js';
import { type Kind, versionId } from './alike.js';
import type { Standards } from './reference.js';

/** So many versions are played where no unit and no run has kept their shape. */
const PLAYED = 3;

/** Finds the version whose shape a unit still has, though it records a later one. */
export class Earlier {
  private readonly played = new Map<Kind, Promise<Map<string, UnitVersion>>>();

  constructor(
    private readonly fleet: Fleet,
    private readonly standards: Standards,
    private readonly kinds: readonly Kind[],
  ) {}

  /** The latest version before that of the kind which looks so; null when none is known. */
  async find(kind: Kind, fingerprint: string): Promise<UnitVersion | null> {
    const seen = this.seenBefore(kind, fingerprint) ?? (await this.storedBefore(kind, fingerprint));
    if (seen !== null) return seen;
    const playing = this.played.get(kind) ?? this.play(kind);
    this.played.set(kind, playing);
    return (await playing).get(fingerprint) ?? null;
  }

  private seenBefore(kind: Kind, fingerprint: string): UnitVersion | null {
    const [latest] = this.kinds
      .filter(({ shared, major }) => shared === kind.shared && major === kind.major)
      .filter((other) => versionId(other) < versionId(kind))
      .filter(({ sorts }) => sorts[0]?.fingerprint === fingerprint)
      .toSorted((a, b) => versionId(b) - versionId(a));
    return latest?.version ?? null;
  }

  private async storedBefore(kind: Kind, fingerprint: string): Promise<UnitVersion | null> {
    const row = await this.fleet.catalog((connection) =>
      connection.row<{ id: number }>(sql`
        select version_id as id from tenantctl_catalog.shapes
         where major = ${kind.major} and fingerprint = ${fingerprint} and version_id < ${versionId(kind)}
         order by version_id desc limit 1`),
    );
    return kind.files.find(({ id }) => id === row?.id) ?? null;
  }

  /** The shapes of the last few versions before, as the files make them: in transactions that are rolled back. */
  private async play(kind: Kind): Promise<Map<string, UnitVersion>> {
    const shapes = new Map<string, UnitVersion>();
    for (let last = kind.files.length - 1; last > 0 && last >= kind.files.length - PLAYED; last -= 1) {
      const files = kind.files.slice(0, last);
      const { shape } = await this.standards.play(kind, files);
      const version = files.at(-1);
      if (shape !== null && version !== undefined && !shapes.has(shape.fingerprint))
        shapes.set(shape.fingerprint, { id: version.id, name: version.name });
    }
    return shapes;
  }
}
