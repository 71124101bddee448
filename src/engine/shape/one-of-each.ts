/**
 * What is read of schemas of which many are alike: one of each sort is read, the others are said to be the same.
 * @param sorts the sort of each schema
 * @param known what is known of sorts; what is read is added
 * @param read reads schemas; one that is gone is not in the answer, nor are those of its sort in ours
 */
export async function readOneOfEach(
  sorts: ReadonlyMap<string, string>,
  known: Map<string, string>,
  read: (schemas: readonly string[]) => Promise<ReadonlyMap<string, string>>,
): Promise<Map<string, string>> {
  const unknown = new Map<string, string>();
  for (const [schema, sort] of sorts) if (!known.has(sort)) unknown.set(sort, schema);
  const values = unknown.size > 0 ? await read([...unknown.values()]) : new Map<string, string>();
  for (const [sort, schema] of unknown) {
    const value = values.get(schema);
    if (value !== undefined) known.set(sort, value);
  }
  return new Map(
    [...sorts].flatMap(([schema, sort]): [string, string][] => {
      const value = known.get(sort);
      return value === undefined ? [] : [[schema, value]];
    }),
  );
}
