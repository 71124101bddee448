import type { ClusterSettings, PoolSettings, TenancySettings } from '../../core/settings.js';
import type { Placement, Tier } from '../../core/tier.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import type { Sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import type { Migration } from '../ledger/migration.js';
import type { Admission, FencedStatus, Home } from '../local/placements.js';

/** What is found where a tenant's own role should be: none, the one that we made for it, or another. */
export type RoleState = 'absent' | 'ours' | 'foreign';

/** What is found where a tenant's home should be. */
export type HomeState =
  /** Without a role where the tier gives a tenant none of its own. */
  | { state: 'absent'; role?: RoleState }
  /** Something is there that this tool did not make, or made for somebody else. Never taken over. */
  | { state: 'foreign'; what: string }
  | { state: 'present'; key: string; admission: Admission };

/** A table that holds rows of one tenant, and how to tell them. */
export interface Relation {
  name: string;
  /** The columns of its primary key, in order; empty when it has none. */
  key: string[];
  /** The tenant column when rows of several tenants share the table, otherwise null. */
  tenantColumn: string | null;
  /** Tables that its foreign keys point to. */
  references: string[];
}

/** What distinguishes a tier, for code that must not ask for its name. */
export interface TierFacts {
  /** Do other tenants migrate together with this one? */
  sharesUnit: boolean;
  /** What goes with the tenant: its rows out of tables that stay, or the whole of what holds them. */
  drops: 'rows' | 'schema' | 'database';
}

/** What whoever makes a home knows about it. */
export interface Circumstances {
  /** What `inspect` said a moment ago, under the tenant's lock; without it the driver looks for itself. */
  seen?: HomeState | undefined;
  /** Nothing has to be prepared before the tenant may come in: a driver that can opens the home along with making it. */
  ready?: boolean;
  /** Until this has come true nothing of the home may be there for good; a driver may begin in the meantime. */
  until?: Promise<unknown> | undefined;
}

/**
 * One tier. Every verb can be called again: it finishes what a crash left half done and changes nothing
 * where all is done. The conformance suite runs the same promises against every driver.
 */
export interface TierDriver {
  readonly tier: Tier;
  readonly facts: TierFacts;
  /** Names only: where a tenant of this id would live. */
  place(id: string, cluster: ClusterSettings, pool: PoolSettings | null, tenancy: TenancySettings): Placement;
  /** What migrates together with this tenant. */
  unit(id: string, placement: Placement): MigrationUnit;
  inspect(fleet: Fleet, home: Home): Promise<HomeState>;
  /**
   * Makes the home with role, grants, limits and every migration. It answers nobody until it is opened.
   * @returns what the home answers now: `making` when it is new and still to be opened, otherwise how it was found, or `active`
   *   where it was opened in the transaction that finished it
   * @throws conflict `PLACE_TAKEN` (exit 5) when something is there that this tool did not make, or made
   *   for a tenant with another key
   */
  create(
    fleet: Fleet,
    home: Home,
    migrations: readonly Migration[],
    circumstances?: Circumstances,
  ): Promise<Admission>;
  /**
   * Runs `work` in one transaction of a session that sees exactly this tenant, as the application would.
   * @throws refusal `ROLE_NOT_ASSUMABLE` (exit 6) where the administrator may not act as the role that serves the tenant
   */
  open<T>(fleet: Fleet, home: Home, work: (session: Connection) => Promise<T>): Promise<T>;
  /**
   * Lets the tenant into a home that `create` has made, and runs `prepare` as the tenant where there is something to
   * prepare, in one transaction: it is either seeded and open or neither.
   * @throws refusal `ROLE_NOT_ASSUMABLE` (exit 6), as `open` does
   */
  admit(fleet: Fleet, home: Home, prepare?: (session: Connection) => Promise<void>): Promise<void>;
  /** The tables that hold rows of this tenant, referenced tables before those that refer to them. */
  relations(fleet: Fleet, home: Home): Promise<Relation[]>;
  /**
   * Lets a home that the tenant was in answer as a tenant of this status expects. But for an active one readers and
   * writers are refused, and sessions that are there are ended.
   */
  fence(fleet: Fleet, home: Home, status: FencedStatus): Promise<void>;
  /**
   * The statements that shut the doors of a home whose tenant leaves it for `next`, for the very transaction that
   * decides so: from its commit on nobody reads here any more. What the next home needs as well stays.
   */
  leaving(fleet: Fleet, connection: Connection, home: Home, next: Placement): Promise<Sql[]>;
  /** Ends the sessions that are still in a home whose tenant has left it. */
  vacate(fleet: Fleet, home: Home, next: Placement): Promise<void>;
  /** Writes labels, plan and limits to the home. */
  describe(fleet: Fleet, home: Home): Promise<void>;
  /**
   * Removes every row and object of this tenant, its role included.
   * @param permission a statement that raises unless that is allowed; asked in the transaction that removes, or right
   *   before it where there can be none
   */
  drop(fleet: Fleet, home: Home, permission?: Sql): Promise<void>;
}
