import { LEDGER_TABLE_NAMES } from './registry.js';

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

const NAMES = [...new Set(LEDGER_TABLE_NAMES.map(({ name }) => name))];

/** Has the table one of these names with all the columns that tell it? Few tables have, so that only these are looked at. */
const isLedger = (relation: string): string =>
  `(${relation}.relname in (${quoted(NAMES)}) and (${LEDGER_TABLE_NAMES.map(
    ({ name, columns }) =>
      `(${relation}.relname = '${name}' and ${columns.length} = (select count(*) from pg_catalog.pg_attribute l where l.attrelid = ${relation}.oid and l.attname in (${quoted(columns)}) and l.attnum > 0 and not l.attisdropped))`,
  ).join(' or ')}))`;

/** The names that PostgreSQL gives to sequences of such tables. */
const SEQUENCE_NAMES = `^(${NAMES.join('|')})_`;

const ownsIt = (
  sequence: string,
): string => `exists (select from pg_catalog.pg_depend w join pg_catalog.pg_class o on o.oid = w.refobjid
    where w.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and w.objid = ${sequence}.oid and w.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and w.deptype in ('a', 'i') and ${isLedger('o')})`;

/**
 * The condition, as text of a statement, under which a relation is none that a migration tool keeps for itself: neither the
 * ledger of what it has applied, nor a table or sequence beside it. Such a table describes a unit to its tool and is none of its
 * data: it belongs to no shape, and is neither moved, nor exported, nor compared.
 * @param relation the name under which the statement has a row of `pg_class`, with `oid`, `relname` and `relkind`
 */
export const noLedger = (relation: string): string =>
  `case ${relation}.relkind when 'S' then not (${relation}.relname ~ '${SEQUENCE_NAMES}' and ${ownsIt(relation)})
    when 'r' then not ${isLedger(relation)} when 'p' then not ${isLedger(relation)} else true end`;
