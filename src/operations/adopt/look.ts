import type { Adoption } from '../../core/adoption.js';
import { isTenantctlError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import { majorVersion } from '../../core/major-version.js';
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
import { type LedgerEntry, readLedgers, readTakenBack } from '../../engine/ledger/entries.js';
import { readAdopted } from '../../engine/local/adopted.js';
import { hasLocalState } from '../../engine/local/placements.js';
import { readFingerprints } from '../../engine/shape/read.js';
import type { Connection } from '../../pg/connection.js';
import { isDatabaseError } from '../../pg/errors.js';
import { withLockRetry } from '../../pg/retry.js';
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
  /** Ledgers that may not be read. */
  unreadable: FoundLedger[];
  /** Does another session hold its ledger, or write to it at this moment? */
  ledgerHeld: boolean;
  /** Null when another session holds the schema. */
  fingerprint: string | null;
  /** Major version of PostgreSQL. */
  major: number;
  /** What our own ledger has of it already. */
  own: readonly LedgerEntry[];
  /** The files that were rolled back there by this tool: whatever another ledger says, it does not have them. */
  takenBack: readonly number[];
  /** What is remembered of it since it was adopted; null where it was not yet. */
  adopted: Adoption | null;
  /** The same of all units of its database, by their names in our ledger. */
  adoptions: ReadonlyMap<string, Adoption>;
  /** Tenants that our local state knows in this database, by id. */
  tenants: ReadonlyMap<string, LocalTenant>;
  /** Whoever it knows in the place of a tenant of the list, under another id. */
  resident: LocalTenant | null;
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
  const takenBack = installed ? await readTakenBack(connection) : new Map<string, readonly number[]>();
  const tenants = installed ? await readLocalTenants(connection) : new Map<string, LocalTenant>();
  const adopted = installed ? await readAdopted(connection) : new Map<string, Adoption>();
  const residents = groupBy(tenants.values(), ({ schema }) => schema);
  const owners = await readOwners(connection, schemas);
  const ledgers = await withLockRetry(RETRIES, VANISHED, () => lookForLedgers(connection, listed));
  const { fingerprints } = await readFingerprints(connection, [...owners.keys()]);
  const roles = await readRoles(connection, listed);
  const installable = installed || (await mayMakeSchemas(connection));
  const major = majorVersion(connection.version);
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
        takenBack: takenBack.get(one.unit.ledgerKey) ?? [],
        adopted: adopted.get(one.unit.ledgerKey) ?? null,
        adoptions: adopted,
        tenants,
        resident: residentOf(one, residents.get(one.unit.schema) ?? []),
        installable,
        administrator: connection.user,
        roleIsThere: one.role === null || roles.has(one.role),
      },
    };
  });
}

/** In a pool tenants are told apart by their keys; anywhere else one is alone. */
function residentOf({ unit, tenants }: ListedUnit, residents: readonly LocalTenant[]): LocalTenant | null {
  const ids = new Set(tenants.map(({ id }) => id));
  const keys = new Set(tenants.map(({ key }) => key));
  return residents.find(({ tenant, key }) => !ids.has(tenant) && (!unit.shared || keys.has(key))) ?? null;
}

/** A ledger that was dropped, or taken, while it was looked at: another look does without it. */
const VANISHED: ReadonlySet<string> = new Set(['42P01', '3F000', '42703']);
const RETRIES = 2;

/** Finds and reads the ledgers of a database. @returns those that speak of a unit */
async function lookForLedgers(connection: Connection, listed: readonly ListedUnit[]) {
  const named = listed.flatMap(({ ledger }) => (ledger === null ? [] : [ledger.table]));
  const { found, unread } = await findLedgers(connection, named);
  const schemas = new Set(listed.map(({ unit }) => unit.schema));
  const alone = listed.length === 1;
  const wanted = found.filter(({ schema }) => alone || schemas.has(schema) || isNamed(listed, schema));
  const readable = wanted.filter(({ closedBy, held }) => closedBy === null && !held);
  const digests = await digestLedgers(connection, readable);
  const rows = await readLedgerRows(connection, digests);
  const working = await atWork(connection, readable);
  const bySchema = groupBy(wanted, ({ schema }) => schema);
  return (one: ListedUnit) => {
    const its = ledgersOf(one, alone, wanted, bySchema);
    const ledgers = its.flatMap((ledger): ReadLedger | [] => {
      const digest = digests.get(ledger);
      const read = rows.get(digest ?? '');
      return digest === undefined || read === undefined
        ? []
        : { found: ledger, digest, rows: read, atWork: working.has(ledger) };
    });
    const unreadable = its.filter(({ closedBy }) => closedBy !== null);
    return {
      ledgers,
      unreadable,
      ledgerHeld: ledgers.length + unreadable.length < its.length,
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
