import { type Mending, ORDER, quote } from './change.js';

/** As lines-sql.ts prints it. */
const POLICY =
  /^(?<way>permissive|restrictive) for (?<command>\w+) to (?<roles>[^]*?)(?: using \((?<using>[^]*?)\))?(?: with check \((?<check>[^]*)\))?$/;

/** A policy that is missing, extra, or otherwise than it should be: exchanged in one moment, as without it no row is seen. */
export const mendPolicy: Mending = ({ expected, actual, quoted }) => {
  const drop = `drop policy ${quoted.part} on ${quoted.table}`;
  if (expected === undefined) return { order: ORDER.dropOthers, sql: [drop] };
  const create = creation(expected.definition);
  if (create === null) return null;
  const statement = `create policy ${quoted.part} on ${quoted.table} ${create}`;
  return {
    order: ORDER.others,
    sql: actual === undefined ? [statement] : ['begin', drop, statement, 'commit'],
  };
};

function creation(definition: string): string | null {
  const { way, command, roles, using, check } = POLICY.exec(definition)?.groups ?? {};
  if (way === undefined) return null;
  return [
    `as ${way} for ${command} to ${(roles ?? '').split(', ').map(role).join(', ')}`,
    ...(using === undefined ? [] : [`using (${using})`]),
    ...(check === undefined ? [] : [`with check (${check})`]),
  ].join(' ');
}

const role = (name: string): string => (name === 'public' || name === '<owner>' ? name : quote(name));
