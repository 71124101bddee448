import { groupBy } from '../../../core/group-by.js';
import type { Connection } from '../../../pg/connection.js';
import { ASKS_LOGIN, ASKS_ROLE, type Body, readBody } from './body.js';
import { type Graph, type Node, type Routine, readGraph } from './read-graph.js';

/** What is called on the way to something, the first name first, and why it is a matter. */
export interface Path {
  names: string[];
  why: string;
}

interface Place {
  name: string;
  /** Why it may reach out of the database by itself. */
  danger: string | null;
  asksLogin: boolean;
  asksRole: boolean;
  body: Body | null;
}

/** Who calls whom in a database: by what the catalogs say, and by the names that stand in bodies. */
export class Reach {
  private readonly places = new Map<string, Place>();
  private readonly next = new Map<string, Set<string>>();
  /** Those of them that reading alone leads to. */
  private readonly read = new Map<string, Set<string>>();

  constructor({ routines, nodes, edges }: Graph) {
    for (const node of nodes) this.places.set(`r${node.oid}`, placeOfNode(node));
    for (const routine of routines) this.places.set(`f${routine.oid}`, placeOfRoutine(routine));
    for (const { from, to, reading } of edges) {
      neighbours(this.next, from).add(to);
      if (reading) neighbours(this.read, from).add(to);
    }
    this.connect(routines, nodes);
  }

  /** How a write to a table or a look at a view may come to reach out of the database; null when it cannot. */
  fromRelation(oid: string): Path | null {
    return this.search(`r${oid}`, this.next, ({ danger }) => danger);
  }

  /** The same of a call. */
  fromRoutine(oid: string): Path | null {
    return this.search(`f${oid}`, this.next, ({ danger }) => danger);
  }

  /** How reading a table or view comes to depend on who has logged in; null when it does not. */
  loginAskedByRelation(oid: string): Path | null {
    return this.search(`r${oid}`, this.read, asksLogin);
  }

  /** How it comes to depend on the role that reads. */
  roleAskedBy(oid: string): Path | null {
    return this.search(`r${oid}`, this.read, ({ asksRole }) => (asksRole ? 'it asks for the role' : null));
  }

  /** The same of a call. */
  loginAskedByRoutine(oid: string): Path | null {
    return this.search(`f${oid}`, this.read, asksLogin);
  }

  /** The shortest way to a place of which there is something to say. */
  private search(start: string, edges: Edges, ask: (place: Place) => string | null): Path | null {
    const queue = [{ key: start, names: [] as string[] }];
    const seen = new Set([start]);
    for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
      const place = this.places.get(at.key);
      if (place === undefined) continue;
      const names = [...at.names, place.name];
      const why = ask(place);
      if (why !== null) return { names, why };
      for (const key of edges.get(at.key) ?? []) {
        if (!seen.has(key)) queue.push({ key, names });
        seen.add(key);
      }
    }
    return null;
  }

  /** A name stands for everything that bears it, in whatever schema: who is meant depends on the caller's path. */
  private connect(routines: readonly Routine[], nodes: readonly Node[]): void {
    const byName = groupBy(routines, ({ name }) => name);
    const signed = routines.filter(({ operators }) => operators.length > 0);
    const relations = groupBy(nodes, ({ name }) => name);
    for (const { oid, source } of routines) {
      const body = this.places.get(`f${oid}`)?.body ?? null;
      if (body === null) continue;
      const called = [...body.calls].flatMap((name) => byName.get(name) ?? []);
      const by = signed.filter(({ operators }) => operators.some((sign) => source.includes(sign)));
      const named = body.puts ? nodes : [...body.words].flatMap((name) => relations.get(name) ?? []);
      const to = [...[...called, ...by].map((one) => `f${one.oid}`), ...named.map((one) => `r${one.oid}`)];
      for (const edges of [this.next, this.read]) for (const key of to) neighbours(edges, `f${oid}`).add(key);
    }
  }
}

type Edges = Map<string, Set<string>>;

function neighbours(edges: Edges, key: string): Set<string> {
  const found = edges.get(key) ?? new Set<string>();
  edges.set(key, found);
  return found;
}

/** Reads who calls whom in the session's database. */
export async function readReach(session: Connection): Promise<Reach> {
  return new Reach(await readGraph(session));
}

/** `app.tell → app.send: it calls dblink_exec`, without the place where the way begins. */
export function wayOf(path: Path | null): string | null {
  if (path === null) return null;
  const between = path.names.slice(1).join(' → ');
  return between === '' ? path.why : `${between}: ${path.why}`;
}

function asksLogin({ asksLogin: asks }: Place): string | null {
  return asks ? 'it asks who has logged in' : null;
}

function placeOfNode({ schema, name, kind, text }: Node): Place {
  const danger = kind === 'f' ? 'it is a foreign table' : null;
  return {
    name: `${schema}.${name}`,
    danger,
    asksLogin: ASKS_LOGIN.test(text),
    asksRole: ASKS_ROLE.test(text),
    body: null,
  };
}

function placeOfRoutine({ schema, name, language, source, ...routine }: Routine): Place {
  const body = READ.has(language) ? readBody(source, language) : null;
  const danger = body === null ? dangerOf({ language, ...routine }) : body.danger;
  return {
    name: `${schema}.${name}`,
    danger,
    asksLogin: body?.asksLogin === true,
    asksRole: body?.asksRole === true,
    body,
  };
}

/** Languages whose bodies are read. */
const READ: ReadonlySet<string> = new Set(['sql', 'plpgsql']);

function dangerOf({
  language,
  trusted,
  extension,
}: Pick<Routine, 'language' | 'trusted' | 'extension'>): string | null {
  if (language === 'internal') return null;
  if (language === 'c')
    return extension === null ? 'it is written in C' : `extension ${extension} may reach out`;
  return trusted ? `what it runs in ${language} cannot be read` : `${language} is no trusted language`;
}
