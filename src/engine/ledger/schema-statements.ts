/** A statement about schemas themselves, or about all that is in them. */
export interface SchemaStatement {
  schemas: string[];
  /** Is there nothing left of it where the schema is made, owned and opened by this tool? */
  idle: boolean;
}

type Node = Record<string, unknown>;

/** What a statement says of whole schemas; undefined for the many that say nothing. */
export function schemaStatement(kind: string, body: Node): SchemaStatement | undefined {
  switch (kind) {
    case 'CreateSchemaStmt':
      return { schemas: words([body['schemaname']]), idle: body['schemaElts'] === undefined };
    case 'CommentStmt':
    case 'AlterOwnerStmt':
      return isSchema(body) ? { schemas: words([body['object']]), idle: true } : undefined;
    case 'GrantStmt':
      return grant(body);
    case 'DropStmt':
      return isSchema(body) ? { schemas: words(body['objects']), idle: false } : undefined;
    case 'RenameStmt':
      return isSchema(body) ? { schemas: words([body['subname']]), idle: false } : undefined;
    case 'AlterObjectSchemaStmt':
      return { schemas: words([body['newschema']]), idle: false };
    case 'ImportForeignSchemaStmt':
      return { schemas: words([body['local_schema']]), idle: false };
    case 'ReindexStmt':
      return body['kind'] === 'REINDEX_OBJECT_SCHEMA'
        ? { schemas: words([body['name']]), idle: false }
        : undefined;
    case 'AlterDefaultPrivilegesStmt':
      return { schemas: options(body['options'], 'schemas').flatMap(words), idle: false };
    default:
      return undefined;
  }
}

/** The schemas that a function looks names up in when it says so itself: `SET search_path = …`. */
export function pathOfFunction(body: Node): string[] {
  const settings = [...options(body['options'], 'set'), ...options(body['actions'], 'set')];
  return settings.flatMap((setting) => {
    const { name, args } = ((setting as Node)['VariableSetStmt'] ?? {}) as {
      name?: string;
      args?: unknown[];
    };
    return name === 'search_path' ? (args ?? []).map(constant) : [];
  });
}

function grant(body: Node): SchemaStatement | undefined {
  const inSchema = body['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA';
  return inSchema || isSchema(body) ? { schemas: words(body['objects']), idle: !inSchema } : undefined;
}

function isSchema({ removeType, renameType, objectType, objtype }: Node): boolean {
  return [removeType, renameType, objectType, objtype].includes('OBJECT_SCHEMA');
}

/** The values of the options of one name; some statements have a number for all of theirs. */
function options(list: unknown, name: string): unknown[] {
  return ((Array.isArray(list) ? list : []) as { DefElem?: { defname?: string; arg?: unknown } }[])
    .filter(({ DefElem: option }) => option?.defname === name)
    .map(({ DefElem: option }) => option?.arg);
}

/** Words out of strings, of nodes that hold one, and of lists of such. */
function words(values: unknown): string[] {
  const items = Array.isArray(values)
    ? values
    : ((values as { List?: { items?: unknown[] } }).List?.items ?? []);
  return (items as (string | { String?: { sval?: string } })[]).flatMap((item) =>
    typeof item === 'string' ? item : (item?.String?.sval ?? []),
  );
}

function constant(value: unknown): string {
  return (value as { A_Const?: { sval?: { sval?: string } } }).A_Const?.sval?.sval ?? '';
}
