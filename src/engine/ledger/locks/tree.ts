/** A node of the parser's tree, as far as it matters here. */
export type Tree = Readonly<Record<string, unknown>>;

/** A table as a statement names it. */
export interface RangeVar {
  schemaname?: string;
  relname?: string;
}

/** `invoice`, or `billing.invoice` where the statement names the schema. */
export function nameOf(relation: unknown): string | null {
  const { schemaname, relname } = (relation ?? {}) as RangeVar;
  if (relname === undefined) return null;
  return schemaname === undefined ? relname : `${schemaname}.${relname}`;
}

/** The nodes of one kind in a list, in their order. */
export function nodesOf(list: unknown, kind: string): Tree[] {
  return ((list ?? []) as Record<string, Tree | undefined>[]).flatMap(({ [kind]: node }) =>
    node === undefined ? [] : [node],
  );
}

/** The names of tables in a list of them. */
export function namesOf(list: unknown): string[] {
  return nodesOf(list, 'RangeVar').flatMap((relation) => nameOf(relation) ?? []);
}

/** The parts of a dotted name: `{ List: { items: [{ String: { sval } }] } }`, or its items alone. */
export function partsOf(name: unknown): string[] {
  const items = Array.isArray(name) ? name : ((name as { List?: { items?: unknown } }).List?.items ?? []);
  return nodesOf(items, 'String').map(({ sval }) => String(sval));
}

/** Options in brackets, `(concurrently, verbose)`, that are on. */
export function optionsOf(list: unknown): string[] {
  return nodesOf(list, 'DefElem').map(({ defname }) => String(defname));
}

/** Every node of one kind, however deep. */
export function findAll(tree: unknown, kind: string): Tree[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const own = (tree as Record<string, Tree>)[kind];
  const below = Object.values(tree).flatMap((child) => findAll(child, kind));
  return own === undefined || Array.isArray(tree) ? below : [own, ...below];
}
