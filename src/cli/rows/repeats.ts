import type { Tier } from '../../core/tier.js';
import type { AdoptRequest, AdoptRow } from '../../operations/adopt/request.js';

/** What two tenants of a tier cannot both have: those of a pool share all but the key. */
const PLACE: Record<Tier, (request: AdoptRequest) => string[]> = {
  pool: ({ cluster, database, schema, key }) => [cluster, database, schema, key ?? ''],
  schema: ({ cluster, database, schema }) => [cluster, database, schema],
  database: ({ cluster, database }) => [cluster, database],
};

/** What earlier rows of a list have taken: an id, a key or a place is given once. */
export class Repeats {
  private readonly lines = new Map<string, number>();

  /** The row, or the problem that it repeats an earlier one; both lines are named. */
  refuse(row: AdoptRow): AdoptRow {
    if ('problem' in row) return row;
    const { line, request } = row;
    const traits = traitsOf(request);
    const repeated = traits.find(({ trait }) => this.lines.has(trait));
    if (repeated === undefined) {
      for (const { trait } of traits) this.lines.set(trait, line);
      return row;
    }
    const first = this.lines.get(repeated.trait);
    return {
      line,
      id: request.id,
      problem: `${repeated.name} is listed twice: in line ${first} and in line ${line}`,
    };
  }
}

function traitsOf(request: AdoptRequest): { name: string; trait: string }[] {
  const { id, tier, key, cluster, database, schema } = request;
  const place = {
    name: `${cluster}/${database}.${schema}`,
    trait: JSON.stringify([tier, ...PLACE[tier](request)]),
  };
  const own = { name: `tenant ${id}`, trait: JSON.stringify(['id', id]) };
  if (key === null) return [own, place];
  return [own, { name: `tenantKey ${JSON.stringify(key)}`, trait: JSON.stringify(['key', key]) }, place];
}
