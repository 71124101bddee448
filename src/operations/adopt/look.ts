import type { Adoption } from '../../core/adoption.js';
import { isTenantctlError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import { type FoundLedger, type UnreadLedger, findLedgers } from '../../engine/adoption/find-ledgers.js';
import {
  type SchemaOwners,
  existingRoles,
  mayMakeSchemas,
  readOwners,
} from '../../engine/adoption/owners.js';
import { type LedgerDigest, digestLedgers, readLedgerRows } from '../../engine/adoption/read-ledgers.js';
import { atWork } from '../../engine/adoption/runners.js';
import type { Fleet } from '../../engine/context.js';
import type { LedgerRow } from '../../engine/formats/ledgers/ledger.js';
import { type LedgerEntry, readLedgers } from '../../engine/ledger/entries.js';
import { readAdopted } from '../../engine/local/adopted.js';
import { hasLocalState } from '../../engine/local/placements.js';
import { readFingerprints } from '../../engine/shape/read.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { type LocalTenant, readLocalTenants } from './local-tenants.js';
import type { ListedUnit } from './listed.js';

/** A ledger that may speak of a unit, with what it holds. */
export interface ReadLedger {
  found: FoundLedger;
  digest: LedgerDigest;
  rows: readonly LedgerRow[];
  /** Is its own tool at work on it? */
  atWork: boolean;
}

/** What was found where a unit should be. */
export interface UnitFacts {
  owners: SchemaOwners;
  ledgers: ReadLedger[];
  unread: UnreadLedger[];
  /** A ledger that may not be read, as `schema.table`. */
  unreadable: string[];
  /** Null when another session holds the schema. */
  fingerprint: string | null;
  /** Major version of PostgreSQL. */
  major: number;
  /** What our own ledger has of it already. */
  own: readonly LedgerEntry[];
  /** What is remembered of it since it was adopted; null where it was not yet. */
  adopted: Adoption | null;
  /** Tenants that our local state knows in this database, by id. */
  tenants: ReadonlyMap<string, LocalTenant>;
  /** Is the role that the list names there? */
  roleIsThere: boolean;
  /** The role that we are there. */
  administrator: string;
  /** May schema `tenantctl` be made here, where it is not yet? */
  installable: boolean;
}

/** A unit that was looked at, or why it cannot be. */
export type Looked = { listed: ListedUnit } & ({ facts: UnitFacts } | { away: string });

const NO_ENTRIES: readonly LedgerEntry[] = [];

/** Looks at all units of one database. Nothing is written, and nothing of ours needs to be there. */
export async function lookAtDatabase(fleet: Fleet, listed: readonly ListedUnit[]): Promise<Looked[]> {
  const { cluster, database } = (listed[0] as ListedUnit).unit;
  try {
    return await fleet.connections(cluster).use(database, (connection) => lookInside(connection, listed));
  } catch (error) {
    if (fleet.cancelled || !(isTenantctlError(error) || isDatabaseError(error))) throw error;
    return listed.map((one) => ({ listed: one, away: error.message }));
  }
}

async function lookInside(connection: Connection, listed: readonly ListedUnit[]): Promise<Looked[]> {
  const schemas = listed.map(({ unit }) => unit.schema);
  const installed = await hasLocalState(connection);
  const own = installed ? await readLedgers(connection) : new Map<string, readonly LedgerEntry[]>();
  const tenants = installed ? await readLocalTenants(connection) : new Map<string, LocalTenant>();
  const adopted = installed ? await readAdopted(connection) : new Map<string, Adoption>();
  const owners = await readOwners(connection, schemas);
  const ledgers = await lookForLedgers(connection, listed);
  const { fingerprints } = await readFingerprints(connection, [...owners.keys()]);
  const roles = await readRoles(connection, listed);
  const installable = installed || (await mayMakeSchemas(connection));
  const major = Math.floor(connection.version / 10_000);
  return listed.map((one): Looked => {
    const found = owners.get(one.unit.schema);
    if (found === undefined)
      return {
        listed: one,
        away: `there is no schema ${one.unit.schema} in database ${connection.database}`,
      };
    const fingerprint = fingerprints.get(one.unit.schema) ?? null;
    const ofUnit = own.get(one.unit.ledgerKey) ?? NO_ENTRIES;
    return {
      listed: one,
      facts: {
        owners: found,
        ...ledgers(one),
        fingerprint,
        major,
        own: ofUnit,
        adopted: adopted.get(one.unit.ledgerKey) ?? null,
        tenants,
        installable,
        administrator: connection.user,
        roleIsThere: one.role === null || roles.has(one.role),
      },
    };
  });
}

/** Finds and reads the ledgers of a database. @returns those that speak of a unit */
async function lookForLedgers(connection: Connection, listed: readonly ListedUnit[]) {
  const named = listed.flatMap(({ ledger }) => (ledger === null ? [] : [ledger.table]));
  const { found, unread } = await findLedgers(connection, named);
  const schemas = new Set(listed.map(({ unit }) => unit.schema));
  const alone = listed.length === 1;
  const wanted = found.filter(({ schema }) => alone || schemas.has(schema) || isNamed(listed, schema));
  const readable = wanted.filter((ledger) => ledger.readable);
  const digests = await digestLedgers(connection, readable);
  const rows = await readLedgerRows(connection, digests);
  const working = await atWork(connection, readable);
  const bySchema = groupBy(wanted, ({ schema }) => schema);
  return (one: ListedUnit) => {
    const its = ledgersOf(one, alone, wanted, bySchema);
    return {
      ledgers: its
        .filter(({ readable: may }) => may)
        .map((ledger): ReadLedger => {
          const digest = digests.get(ledger) as LedgerDigest;
          return { found: ledger, digest, rows: rows.get(digest) ?? [], atWork: working.has(ledger) };
        }),
      unreadable: its.filter(({ readable: may }) => !may).map(({ schema, table }) => `${schema}.${table}`),
      unread: unread.filter(({ schema }) => schema === one.unit.schema || (alone && one.whole)),
    };
  };
}

function isNamed(listed: readonly ListedUnit[], schema: string): boolean {
  return listed.some(({ ledger }) => ledger?.schema === schema);
}

/**
 * The ledger that the list names; otherwise those in the unit's own schema; otherwise, where the unit is a whole database or the only
 * one of the list there, those where tools put them by default. One outside of the schemas of many says nothing of any one of
 * them.
 */
function ledgersOf(
  { unit, ledger, whole }: ListedUnit,
  alone: boolean,
  all: readonly FoundLedger[],
  bySchema: ReadonlyMap<string, FoundLedger[]>,
): readonly FoundLedger[] {
  if (ledger !== null)
    return (bySchema.get(ledger.schema) ?? []).filter(({ table }) => table === ledger.table);
  const inside = bySchema.get(unit.schema) ?? [];
  return inside.length > 0 || !(whole || alone) ? inside : all.filter(isAtItsDefault);
}

function isAtItsDefault({ ledger, schema }: FoundLedger): boolean {
  return schema === 'public' || schema === ledger.schema;
}

/** Those of the roles that the list names which are there. */
async function readRoles(connection: Connection, listed: readonly ListedUnit[]): Promise<Set<string>> {
  const names = [...new Set(listed.flatMap(({ role }) => role ?? []))];
  if (names.length === 0) return new Set();
  return new Set(await existingRoles(connection, names));
}
