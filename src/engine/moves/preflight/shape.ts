import { indexBy } from '../../../core/group-by.js';
import { ident } from '../../../pg/sql.js';
import { tableOf } from '../../rows/side.js';
import { type TableColumn, type TenantTable, readTables } from '../../rows/tables.js';
import type { Inspected, MoveFinding, PreflightRule } from './finding.js';
import { versions } from './version.js';

/** What differs, and the part of ALTER TABLE that makes the new home like the old one. */
interface Difference {
  what: string;
  change: string;
}

/** Tables that would not take the rows as they are. Where the versions differ, only that is said. */
export const shapes: PreflightRule = async (context) => {
  const { fleet, source, target } = context;
  if (target === null || (await versions(context)).length > 0) return [];
  const { column } = fleet.settings.tenancy;
  const here = await readTables(source.session, source.side, column, false);
  const there = indexBy(await readTables(target.session, target.side, column, false), ({ name }) => name);
  const moved = new Set(source.tables.map(({ name }) => name));
  const known = new Set(here.map(({ name }) => name));
  return [
    ...here.flatMap((table) => compareTable(target, table, there.get(table.name), moved.has(table.name))),
    ...target.tables.filter(({ name }) => !known.has(name)).map((table) => onlyThere(source, target, table)),
  ];
};

function compareTable(
  target: Inspected,
  table: TenantTable,
  twin: TenantTable | undefined,
  moved: boolean,
): MoveFinding[] {
  const on = tableOf(target.side, table.name).text();
  if (twin === undefined) return [finding(table.name, 'it is missing there', `create table ${on} (…);`)];
  const differences = [
    ...table.columns.flatMap((column) =>
      compareColumn(
        column,
        twin.columns.find(({ name }) => name === column.name),
        moved,
      ),
    ),
    ...extraColumns(table, twin),
  ];
  const all = differences.length === 0 && moved ? compareKeys(table, twin) : differences;
  if (all.length === 0) return [];
  const changes = all.map(({ change }) => change).join(', ');
  return [finding(table.name, all.map(({ what }) => what).join(', '), `alter table ${on} ${changes};`)];
}

function compareColumn(
  { name, type, generated, notNull }: TableColumn,
  twin: TableColumn | undefined,
  moved: boolean,
): Difference[] {
  const column = ident(name).text();
  if (twin === undefined)
    return [{ what: `column ${name} is missing there`, change: `add column ${column} ${type}` }];
  if (twin.type !== type)
    return [
      {
        what: `column ${name} is ${type} here and ${twin.type} there`,
        change: `alter column ${column} type ${type}`,
      },
    ];
  if (twin.generated !== generated)
    return [
      {
        what: `column ${name} is generated ${generated ? 'here' : 'there'} only`,
        change: generated
          ? `drop column ${column}, add column ${column} ${type} generated always as (…) stored`
          : `alter column ${column} drop expression`,
      },
    ];
  if (moved && twin.notNull && !notNull)
    return [
      {
        what: `column ${name} may be NULL here and not there`,
        change: `alter column ${column} drop not null`,
      },
    ];
  return [];
}

function extraColumns({ columns }: TenantTable, twin: TenantTable): Difference[] {
  const known = new Set(columns.map(({ name }) => name));
  return twin.columns
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => ({
      what: `column ${name} is only there`,
      change: `drop column ${ident(name).text()}`,
    }));
}

function compareKeys(table: TenantTable, twin: TenantTable): Difference[] {
  if (table.key.join() === twin.key.join()) return [];
  const list = table.key.map((name) => ident(name).text()).join(', ');
  return [
    {
      what: `rows are told apart by (${table.key.join(', ')}) here and by (${twin.key.join(', ')}) there`,
      change: `add primary key (${list})`,
    },
  ];
}

function onlyThere(source: Inspected, target: Inspected, { name }: TenantTable): MoveFinding {
  const { unit } = source;
  return finding(name, `${unit.id} does not have it`, `drop table ${tableOf(target.side, name).text()};`);
}

function finding(table: string, what: string, change: string): MoveFinding {
  return {
    rule: 'shape-differs',
    level: 'error',
    where: table,
    message: `Table ${table} is not the same in both homes, although they are at one migration: ${what}.`,
    hint: `One of them was changed by hand. Where the old home is right, at the new one: ${change}`,
  };
}
