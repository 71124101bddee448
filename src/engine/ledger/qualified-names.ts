/** A name with a schema in front, as the parser's tree has it. */
export interface QualifiedName {
  schema: string;
  /** All its parts as they are written with dots between them, the schema's included. */
  dotted: string[];
}

/** What a statement says that looks like names with schemas. */
export interface NamesOfStatement {
  qualified: QualifiedName[];
  /** Bytes where `table.column` stands: the first part is no schema, whatever its name. */
  columns: Set<number>;
  /** Literals that are read as the name of a table or the like: `nextval('public.s')`, with their bytes. */
  literals: { text: string; at: number }[];
}

type Node = Record<string, unknown>;

/** Members that hold a name as a list of its parts. */
const NAMES = new Set(
  (
    'names funcname objname collname collation opclass name typeName domainname defnames opclassname ' +
    'opfamilyname order_family conversion_name func_name dictname cfgname plhandler plinline plvalidator handler_name operName useOp'
  ).split(' '),
);
/** Options whose value is a name. */
const NAME_OPTIONS = new Set(['owned_by', 'sequence_name']);
/** Objects that are named after the table they belong to: `drop trigger t on a.b` is the list a, b, t. */
const OF_A_TABLE = new Set(['OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_POLICY', 'OBJECT_TABCONSTRAINT']);
/** Objects that are named after their access method. */
const OF_A_METHOD = new Set(['OBJECT_OPCLASS', 'OBJECT_OPFAMILY']);
const READS_A_NAME = /^(nextval|currval|setval|pg_get_serial_sequence|to_reg[a-z]+)$/;
const NAME_TYPE = /^reg[a-z]+$/;

/** Collects the names of one statement out of the parser's tree, whatever kind of node holds them. */
export function namesOfStatement(body: unknown): NamesOfStatement {
  const names: NamesOfStatement = { qualified: [], columns: new Set(), literals: [] };
  visit(body, names);
  return names;
}

function visit(value: unknown, names: NamesOfStatement): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, names);
  } else if (typeof value === 'object' && value !== null) {
    collect(value as Node, names);
    for (const child of Object.values(value)) visit(child, names);
  }
}

function collect(node: Node, names: NamesOfStatement): void {
  relation(node, names);
  column(node, names);
  members(node, names);
  objects(node, names);
  literals(node, names);
}

function relation({ catalogname, schemaname, relname }: Node, names: NamesOfStatement): void {
  if (typeof schemaname !== 'string' || typeof relname !== 'string') return;
  const parts = [schemaname, relname];
  add(names, parts, typeof catalogname === 'string' ? [catalogname, ...parts] : parts);
}

function column({ fields, location = 0 }: Node, names: NamesOfStatement): void {
  const parts = partsOf(fields);
  if (parts === undefined) return;
  if (parts.length < 3) names.columns.add(Number(location));
  else add(names, parts.slice(0, -1), parts);
}

function members(node: Node, names: NamesOfStatement): void {
  for (const [member, value] of Object.entries(node)) {
    const parts = NAMES.has(member) ? partsOf(value) : undefined;
    // `a.b.c%type` is the type of a column.
    if (parts !== undefined) add(names, node['pct_type'] === true ? parts.slice(0, -1) : parts, parts);
  }
  const option = NAME_OPTIONS.has(String(node['defname'])) ? listOf(node['arg']) : undefined;
  if (option !== undefined) add(names, node['defname'] === 'owned_by' ? option.slice(0, -1) : option, option);
  for (const exclusion of (node['exclusions'] ?? []) as { List?: { items?: unknown[] } }[]) {
    const operator = listOf(exclusion.List?.items?.[1]);
    if (operator !== undefined) add(names, operator, operator);
  }
}

/** What DROP, COMMENT, RENAME, GRANT and the like are about. */
function objects(node: Node, names: NamesOfStatement): void {
  const type = String(node['removeType'] ?? node['renameType'] ?? node['objectType'] ?? node['objtype']);
  const lists = [node['object'], ...((node['objects'] ?? []) as unknown[])].map(listOf);
  for (const parts of lists.filter((list) => list !== undefined)) {
    if (OF_A_TABLE.has(type)) add(names, parts.slice(0, -1), parts.slice(0, -1));
    else if (OF_A_METHOD.has(type)) add(names, parts.slice(1), parts.slice(1));
    else add(names, type === 'OBJECT_COLUMN' ? parts.slice(0, -1) : parts, parts);
  }
}

function literals({ funcname, args, arg, typeName }: Node, names: NamesOfStatement): void {
  const call = partsOf(funcname)?.at(-1) ?? '';
  const type = partsOf((typeName as Node | undefined)?.['names'])?.at(-1) ?? '';
  if (READS_A_NAME.test(call)) addLiteral((args as unknown[] | undefined)?.[0], names);
  if (NAME_TYPE.test(type)) addLiteral(arg, names);
}

function addLiteral(value: unknown, names: NamesOfStatement): void {
  const constant = (value as { A_Const?: { sval?: { sval?: string }; location?: number } } | undefined)
    ?.A_Const;
  if (constant?.sval?.sval !== undefined)
    names.literals.push({ text: constant.sval.sval, at: constant.location ?? 0 });
}

function add(names: NamesOfStatement, name: readonly string[], dotted: string[]): void {
  const schema = name.at(-2);
  if (schema !== undefined) names.qualified.push({ schema, dotted });
}

function listOf(value: unknown): string[] | undefined {
  return partsOf((value as { List?: { items?: unknown } } | undefined)?.List?.items);
}

/** The parts of a name: a list of nothing but words, perhaps with a star at the end. */
function partsOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const parts = (value as { String?: { sval?: string }; A_Star?: unknown }[]).map((item) =>
    item.A_Star === undefined ? item.String?.sval : '*',
  );
  return parts.every((part) => part !== undefined) ? parts : undefined;
}
