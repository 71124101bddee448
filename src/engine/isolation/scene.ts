import { randomBytes, randomUUID } from 'node:crypto';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { asRole } from './attempt.js';
import { TIME_LEFT, limits } from './overtime.js';
import type { Conditions } from './conditions.js';
import type { Reach } from './reach/reach.js';
import type { Owned, Writer } from './specimen/make-rows.js';
import type { Relation } from './specimen/relation.js';

/** A pool, and what the probes know of it. */
export interface Scene {
  fleet: Fleet;
  cluster: string;
  database: string;
  schema: string;
  ledgerKey: string;
  /** As whom the attempts are made. */
  role: string;
  /** The server's version, as a number. */
  version: number;
  reach: Reach;
  /** The conditions of this tool's policies. */
  conditions: Conditions;
  /** By their qualified names. */
  tables: ReadonlyMap<string, Relation>;
  owned: Owned;
}

/** A tenant that exists in one transaction, which is rolled back. */
export interface ThrowAway {
  id: string;
  key: string;
}

export interface Pair {
  own: ThrowAway;
  foreign: ThrowAway;
}

const SESSIONS = 40;

/**
 * `main/app_shared.app.invoice`
 * @param object as SQL writes it
 * @param part of it, as it is called
 */
export function placeOf(
  { cluster, database }: Pick<Scene, 'cluster' | 'database'>,
  object: string,
  part?: string,
): string {
  const plain = object.replaceAll(/"((?:[^"]|"")+)"/g, (_, name: string) => name.replaceAll('""', '"'));
  return `${cluster}/${database}.${plain}${part === undefined ? '' : `.${part}`}`;
}

export function newPair({ fleet }: Scene): Pair {
  return {
    own: throwAway(fleet.settings.tenancy.columnType),
    foreign: throwAway(fleet.settings.tenancy.columnType),
  };
}

function throwAway(columnType: string): ThrowAway {
  const id = `probe-${randomBytes(6).toString('hex')}`;
  if (columnType === 'uuid') return { id, key: randomUUID() };
  if (/^(?:text|varchar|character varying)/.test(columnType)) return { id, key: id };
  // Far from where keys are counted from, and within an integer.
  return { id, key: String(2_000_000_000 + Number.parseInt(randomBytes(3).toString('hex'), 16)) };
}

/**
 * Lends a session of its own in which the tenant setting was never touched. It ends afterwards, and whatever it has begun
 * is rolled back before.
 */
export async function inFreshSession<T>(scene: Scene, work: (session: Connection) => Promise<T>): Promise<T> {
  const { setting } = scene.fleet.settings.tenancy;
  for (let n = 0; n < SESSIONS; n += 1) {
    const answer = await scene.fleet.connections(scene.cluster).use(scene.database, async (session) => {
      session.retire();
      const found = await session.row<{ fresh: boolean }>(
        // A database or role may have an empty one by default: then no session is ever without.
        sql`select current_setting(${setting}, true) is null or (current_setting(${setting}, true) = '' and exists (
              select from pg_db_role_setting s join unnest(s.setconfig) c on split_part(c, '=', 1) = ${setting}
               where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
                 and s.setrole in (0, (select oid from pg_roles where rolname = session_user)))) as fresh`,
      );
      if (found?.fresh !== true) return undefined;
      try {
        return { value: await work(session) };
      } finally {
        if (session.usable) await session.rollback();
      }
    });
    if (answer !== undefined) return answer.value;
  }
  throw new Error('no session without a tenant could be had');
}

/** The statements that begin a transaction in which both tenants live in the pool. Nothing of it is ever committed. */
export function beginWith(scene: Scene, pair: Pair): string {
  const { appRole } = scene.fleet.settings.tenancy;
  const tenants = [pair.own, pair.foreign].map(({ id, key }) =>
    sql`insert into tenantctl.placement (tenant, key, unit, tier, schema, role, status, epoch, state)
      values (${id}, ${key}, ${scene.ledgerKey}, 'pool', ${scene.schema}, ${appRole}, 'active', 1, 'active')`.text(),
  );
  return ['begin', limits(scene), 'set constraints all immediate', ...tenants].join('; ');
}

/** Begins a transaction for reading; see `beginWith`. */
export function beginReading(scene: Scene): string {
  return `begin read only; ${limits(scene)}`;
}

function schemasOf({ schema, fleet }: Scene): string[] {
  return [schema, fleet.settings.tenancy.extensionsSchema];
}

/** The session becomes the application's, with this key as its context; null leaves the context as it is. */
export function application(scene: Scene, key: string | null): string {
  const { setting } = scene.fleet.settings.tenancy;
  return asRole(scene.role, setting, key, schemasOf(scene));
}

/** The session becomes the administrator's, which sees all tenants. */
export function owner(scene: Scene): string {
  const path = schemasOf(scene)
    .map((schema) => `"${schema.replaceAll('"', '""')}"`)
    .join(', ');
  return `set local role none; ${sql`select set_config('tenantctl.scope', 'fleet', true), set_config('search_path', ${path}, true)`.text()}; ${TIME_LEFT}`;
}

/** Rows made by the administrator, so that no context is needed. */
export function ownerWrites(scene: Scene): Writer {
  return { become: () => owner(scene) };
}

/** Rows made as the application makes them. */
export function applicationWrites(scene: Scene): Writer {
  return { become: (tenant) => (tenant === null ? owner(scene) : application(scene, tenant)) };
}

export async function send(session: Connection, ...statements: string[]): Promise<void> {
  await session.message(statements.join('; '));
}

/** Keys of tenants that live in the pool, the longest-lived first. */
export async function realTenants(session: Connection, { schema, ledgerKey }: Scene): Promise<string[]> {
  const rows = await session.rows<{ key: string }>(
    raw(
      sql`select key from tenantctl.placement where unit = ${ledgerKey} and schema = ${schema} and state = 'active'
      order by created_at, tenant limit 50`.text(),
    ),
  );
  return rows.map(({ key }) => key);
}
