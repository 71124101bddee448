import type { Tier } from '../../core/tier.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import type { Shape, ShapeLine } from './shape.js';

/** What decides how a unit has to look. */
export interface ShapeKey {
  tier: Tier;
  /** Major version of PostgreSQL. */
  major: number;
  /** Of the migrations up to the version, and of the rules of tenancy. */
  digest: string;
  /** The newest of those migrations. */
  version: number;
}

/** What units are compared with. */
export interface Reference {
  shape: Shape;
  /** The files, or the units themselves where the files cannot tell. */
  source: 'files' | 'units';
  /** The unit it was read from; null when it comes from the files. */
  unit: string | null;
}

interface ShapeRow {
  fingerprint: string;
  lines: ShapeLine[];
  source: Reference['source'];
  unit: string | null;
}

/** The stored reference of a key. */
export async function findReference(connection: Connection, key: ShapeKey): Promise<Reference | undefined> {
  const row = await connection.row<ShapeRow>(sql`
    select fingerprint, lines, source, unit from tenantctl_catalog.shapes
     where tier = ${key.tier} and major = ${key.major} and digest = ${key.digest}`);
  if (row === undefined) return undefined;
  const { fingerprint, lines, source, unit } = row;
  return { shape: { fingerprint, lines }, source, unit };
}

/**
 * Stores a reference where there is none, or one from the files over one from units.
 * @returns the one that stands: that of another process, when it was first
 */
export async function keepReference(
  connection: Connection,
  key: ShapeKey,
  { shape, source, unit }: Reference,
  run: string | null,
): Promise<Reference> {
  await connection.execute(sql`
    insert into tenantctl_catalog.shapes as kept (tier, major, digest, version_id, fingerprint, lines, source, unit, run)
    values (${key.tier}, ${key.major}, ${key.digest}, ${key.version}, ${shape.fingerprint}, ${JSON.stringify(shape.lines)}::jsonb,
      ${source}, ${unit}, ${run})
    on conflict (tier, major, digest) do update
      set fingerprint = excluded.fingerprint, lines = excluded.lines, source = excluded.source, unit = excluded.unit,
          run = excluded.run, proved_at = now()
    where kept.source = 'units' and excluded.source = 'files'`);
  return (await findReference(connection, key)) ?? { shape, source, unit };
}
