import type { ScriptFile } from '../formats/format.js';
import { type Remark } from './adaptation.js';
import type { ParsedStatement } from './parser.js';

/** An extension that migrations rely on. */
export interface ExtensionWish {
  name: string;
  /** Does the file ask for the extensions that it needs, too? */
  cascade: boolean;
  /** The file that asks for it. */
  file: string;
}

export interface ExtensionStatements {
  wishes: ExtensionWish[];
  /** Statements that are done once a database, or not at all, instead of in each unit. */
  taken: ParsedStatement[];
  /** Statements that would take from every tenant what one file has no more use for. */
  faults: Remark[];
  /** What a statement asks for and does not get. */
  ignored: Remark[];
}

type Node = Record<string, unknown>;

/**
 * Finds what a script says of extensions. They belong to a database and not to a schema in it: whoever
 * came first would have `pgcrypto` in its own schema, and all others would miss it.
 */
export function extensionStatements(
  file: ScriptFile,
  statements: readonly ParsedStatement[],
  way: 'up' | 'down',
): ExtensionStatements {
  const found: ExtensionStatements = { wishes: [], taken: [], faults: [], ignored: [] };
  const remark = ({ start }: ParsedStatement, text: string): Remark => ({ file, offset: start, text });
  for (const statement of statements) {
    const { kind, body } = statement;
    const ignored = kind === 'CreateExtensionStmt' ? placeAndVersion(body) : ignoredOf(kind, body);
    if (kind === 'CreateExtensionStmt') found.wishes.push(wishOf(file, body));
    if (ignored !== '') found.ignored.push(remark(statement, ignored));
    if (kind === 'CreateExtensionStmt' || isHarmless(kind, body) || (way === 'down' && isDrop(kind, body)))
      found.taken.push(statement);
    else if (isDrop(kind, body) || kind === 'AlterExtensionContentsStmt')
      found.faults.push(remark(statement, 'an extension is shared by all tenants of a database'));
  }
  return found;
}

function wishOf({ fileName }: ScriptFile, body: Node): ExtensionWish {
  const cascade = optionsOf(body).some(({ defname }) => defname === 'cascade');
  return { name: String(body['extname']), cascade, file: fileName };
}

const optionsOf = (body: Node): { defname?: string }[] =>
  ((body['options'] ?? []) as { DefElem?: { defname?: string } }[]).flatMap(
    ({ DefElem: option }) => option ?? [],
  );

const isDrop = (kind: string, { removeType }: Node): boolean =>
  kind === 'DropStmt' && removeType === 'OBJECT_EXTENSION';

/** ALTER EXTENSION … UPDATE and SET SCHEMA, COMMENT ON EXTENSION. */
function isHarmless(kind: string, { objtype, objectType }: Node): boolean {
  if (kind === 'AlterExtensionStmt') return true;
  if (kind === 'CommentStmt') return objtype === 'OBJECT_EXTENSION';
  return kind === 'AlterObjectSchemaStmt' && objectType === 'OBJECT_EXTENSION';
}

function placeAndVersion(body: Node): string {
  const names = new Set(optionsOf(body).map(({ defname }) => defname));
  const asked = [
    ...(names.has('schema') ? ['SCHEMA'] : []),
    ...(names.has('new_version') ? ['VERSION'] : []),
  ];
  return asked.length === 0 ? '' : `${asked.join(' and ')} of an extension is not taken from a migration`;
}

function ignoredOf(kind: string, body: Node): string {
  if (isDrop(kind, body)) return 'DROP EXTENSION is left out: other tenants may use it';
  if (kind === 'AlterExtensionStmt')
    return 'ALTER EXTENSION UPDATE is left out: run it yourself, once a database';
  return kind !== 'CommentStmt' && isHarmless(kind, body) ? 'ALTER EXTENSION SET SCHEMA is left out' : '';
}
