import { conflictError, type TenantctlError } from '../../core/errors.js';
import type { MigrationUnit } from '../../core/unit.js';
import { type Sql, literal, raw } from '../../pg/sql.js';
import type { DatabaseError } from '../../pg/errors.js';
import { type Tree, nodesOf } from './locks/tree.js';
import type { Migration } from './migration.js';
import type { ParsedStatement } from './parser.js';

/** SQLSTATE by which a migration is refused that would cut the way back of a tenant. */
export const WAY_BACK_OPEN = 'TC014';

/** What a statement does to a table by which the writes of a moved tenant are followed. */
interface Change {
  what: 'name' | 'column' | 'constraint' | 'key';
  table: string;
  /** The column or constraint; empty for the others. */
  part: string;
}

/**
 * Until a move has ended, each write of its tenant is noted under the name of its table and the columns of its key, in
 * both homes. A migration that changes one of these would make every write fail, or the way back refuse what was noted. So
 * it first looks for such a move, after the unit was taken: a move begins and ends under the same lock. What it will have
 * changed is looked up in the catalogs before its first statement, so tables that it makes itself are no matter.
 * @returns the statement that refuses; null for files that change nothing of the kind, which pay nothing
 */
export function refuseWhileWayBack({ unit }: { unit: MigrationUnit }, migration: Migration): Sql | null {
  const changes = migration.statements.flatMap(changesOf);
  if (changes.length === 0) return null;
  const rows = changes.map(
    (change) => `(${[change.what, change.table, change.part].map(literal).join(', ')})`,
  );
  const schema = literal(unit.schema);
  const body = `declare v_tenants text;
  begin
    select pg_catalog.string_agg(distinct tenant, ', ' order by tenant) into v_tenants from tenantctl.move where schema = ${schema};
    if v_tenants is not null and exists (
      select from (values ${rows.join(', ')}) change (what, relation, part)
        join pg_catalog.pg_class c on c.relname = change.relation and c.relkind in ('r', 'p') and not c.relispartition
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = ${schema}
       where change.what = 'name' or exists (
         select from pg_catalog.pg_index i
          where i.indrelid = c.oid and i.indisunique and (i.indisprimary or not exists (
                  select from pg_catalog.pg_index p where p.indrelid = c.oid and p.indisprimary))
            and (change.what = 'key'
              or change.what = 'column' and exists (select from pg_catalog.pg_attribute a
                   where a.attrelid = c.oid and a.attname = change.part and a.attnum = any (i.indkey))
              or change.what = 'constraint' and exists (select from pg_catalog.pg_constraint k
                   where k.conindid = i.indexrelid and k.conrelid = c.oid and k.conname = change.part)))) then
      raise exception using errcode = '${WAY_BACK_OPEN}', detail = v_tenants,
        message = 'a tenant of it can still go back to the home that it has left';
    end if;
  end`;
  return raw(`do ${literal(body)}`);
}

/** The parser gives names bare and cut to length, as the catalogs have them. */
function changesOf({ kind, body }: ParsedStatement): Change[] {
  const table = (body['relation'] as { relname?: string } | undefined)?.relname;
  if (table === undefined) return [];
  if (kind === 'RenameStmt') return RENAMED.has(String(body['renameType'])) ? [named(table)] : [];
  if (kind !== 'AlterTableStmt') return [];
  return nodesOf(body['cmds'], 'AlterTableCmd').flatMap((command) => alteration(table, command));
}

const RENAMED = new Set(['OBJECT_TABLE', 'OBJECT_COLUMN']);
const named = (table: string): Change => ({ what: 'name', table, part: '' });

function alteration(table: string, command: Tree): Change[] {
  const part = String(command['name'] ?? '');
  switch (command['subtype']) {
    case 'AT_DropColumn':
    case 'AT_AlterColumnType':
      return [{ what: 'column', table, part }];
    case 'AT_DropConstraint':
      return [{ what: 'constraint', table, part }];
    case 'AT_AddConstraint':
      return isPrimary(command) ? [{ what: 'key', table, part: '' }] : [];
    default:
      return [];
  }
}

function isPrimary(command: Tree): boolean {
  const { Constraint: constraint } = (command['def'] ?? {}) as { Constraint?: Tree };
  return constraint?.['contype'] === 'CONSTR_PRIMARY';
}

/** The server's refusal as one that a person can act on. */
export function wayBackOpen(
  unit: MigrationUnit,
  migration: Migration | undefined,
  cause: DatabaseError,
): TenantctlError {
  const tenants = cause.detail ?? '';
  const [first = ''] = tenants.split(', ');
  const file = migration?.name ?? 'the migration';
  return conflictError(
    'WAY_BACK_OPEN',
    `${unit.id} waits with ${file}: it changes the name or the key of a table, and by these the writes of ${tenants} are followed until the move has ended.`,
    {
      hint: `\`tenantctl moves complete ${first}\` or \`tenantctl moves undo ${first}\` first, then run the same command again.`,
      facts: {
        unit: unit.id,
        migration: migration?.name ?? null,
        tenants: tenants.split(', '),
        sqlstate: WAY_BACK_OPEN,
      },
      cause,
    },
  );
}
