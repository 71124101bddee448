interface NameList {
  List?: { items?: { String?: { sval?: string } }[] };
}

interface AlterCommand {
  AlterTableCmd?: { subtype?: string; name?: string };
}

/** What a statement throws away for good, in words; empty when it is nothing. Indexes and rules can be made again. */
export function dataLoss(kind: string, body: Record<string, unknown>): string[] {
  switch (kind) {
    case 'DropStmt':
      return droppedTables(body);
    case 'AlterTableStmt':
      return droppedColumns(body);
    case 'TruncateStmt':
      return ['TRUNCATE empties tables'];
    case 'DeleteStmt':
      return [`DELETE removes rows of ${tableOf(body)}`];
    default:
      return [];
  }
}

const WITH_ROWS = new Set(['OBJECT_TABLE', 'OBJECT_FOREIGN_TABLE', 'OBJECT_SCHEMA']);

function droppedTables(body: Record<string, unknown>): string[] {
  if (!WITH_ROWS.has(String(body['removeType']))) return [];
  const objects = (body['objects'] ?? []) as (NameList & { String?: { sval?: string } })[];
  return objects.map(({ List: list, String: schema }) => {
    const name = list?.items?.at(-1)?.String?.sval ?? schema?.sval ?? 'a table';
    return `DROP removes ${name}`;
  });
}

function droppedColumns(body: Record<string, unknown>): string[] {
  const commands = (body['cmds'] ?? []) as AlterCommand[];
  return commands
    .filter(({ AlterTableCmd: command }) => command?.subtype === 'AT_DropColumn')
    .map(({ AlterTableCmd: command }) => `DROP COLUMN removes ${tableOf(body)}.${command?.name ?? '?'}`);
}

function tableOf(body: Record<string, unknown>): string {
  return (body['relation'] as { relname?: string } | undefined)?.relname ?? 'a table';
}
