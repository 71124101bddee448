import type { AdoptRequest, AdoptRow } from '../request.js';
import { homeOf } from './home.js';

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
    const problem = `${repeated.name} is listed twice: in line ${first} and in line ${line}`;
    return { line, id: request.id, problem };
  }
}

function traitsOf(request: AdoptRequest): { name: string; trait: string }[] {
  const { id, key, cluster, database, schema } = request;
  const own = { name: `tenant ${id}`, trait: `id ${id}` };
  const place = { name: `${cluster}/${database}.${schema}`, trait: `home ${homeOf(request)}` };
  if (key === null) return [own, place];
  return [own, { name: `tenantKey ${JSON.stringify(key)}`, trait: `key ${key}` }, place];
}
