import { shortId } from '../../core/short-id.js';
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { conflictError } from '../../core/errors.js';
import type { MoveHome, MoveState } from '../../core/move.js';
import type { MigrationUnit } from '../../core/unit.js';
import {
  type MoveChanges,
  type StoredMove,
  LEASE_MS,
  explainStep,
  leaseRenewal,
  leaseUpdate,
  moveStep,
  requireMove,
} from '../../engine/catalog/moves.js';
import { requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import type { Home, HomeTenant } from '../../engine/local/placements.js';
import type { Side } from '../../engine/rows/side.js';
import type { TierDriver } from '../../engine/tiers/driver.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import type { Sql } from '../../pg/sql.js';
import { limitsOf } from '../provision-plan.js';
import { endHolders, tryWithLock } from '../../pg/locks.js';

/** One home of a move with what serves it. */
export interface End {
  side: Side;
  home: Home;
  driver: TierDriver;
  unit: MigrationUnit;
}

/** A move in the hands of the process that drives it. */
export class Drive {
  /** The cut-over is tried until it fits. */
  waits = false;

  private constructor(
    readonly fleet: Fleet,
    private stored: StoredMove,
    private readonly tenant: HomeTenant,
    /** This process, in the catalog and at both homes. */
    readonly driver: string,
  ) {}

  /** Takes the wheel: from now on only this process can take the move on. */
  static async take(fleet: Fleet, catalog: Connection, id: string): Promise<Drive> {
    const driver = `${hostname()} ${process.pid} ${randomUUID().slice(0, 8)}`;
    await catalog.execute(leaseUpdate(id, driver));
    const move = await requireMove(catalog, id);
    const { key, plan, owner, labels } = await requireTenant(catalog, move.tenant);
    const tenant = { id: move.tenant, key, plan, owner, labels, limits: limitsOf(fleet.settings, plan) };
    return new Drive(fleet, move, tenant, driver);
  }

  get move(): StoredMove {
    return this.stored;
  }

  get id(): string {
    return this.stored.move;
  }

  get source(): End {
    return this.end('source', this.stored.from);
  }

  get target(): End {
    return this.end('target', this.stored.to);
  }

  /** The old home once more, as the place that a way back leads to: with the epoch after this one. */
  get returned(): End {
    return this.end('source', { ...this.stored.from, epoch: this.stored.to.epoch + 1 });
  }

  /**
   * Takes the move on, in one transaction of the catalog with whatever belongs to the step.
   * @throws conflict `MOVE_TAKEN_OVER` (exit 5) when another process drives it now
   */
  async step(to: MoveState, changes: MoveChanges = {}, more: readonly Sql[] = []): Promise<void> {
    const step = moveStep({ move: this.id, driver: this.driver }, this.stored.state, to, changes);
    try {
      await this.fleet.catalog((connection) => connection.atomically([step, ...more]));
    } catch (error) {
      throw explainStep(this.id, error);
    }
    this.stored = await this.fleet.catalog((connection) => requireMove(connection, this.id));
  }

  /** Writes something down without a step. */
  note(changes: MoveChanges, more: readonly Sql[] = []): Promise<void> {
    return this.step(this.stored.state, changes, more);
  }

  /** Says what is being done now. */
  say(text: string): void {
    const { state, tenant } = this.stored;
    this.fleet.emit({ type: 'move.step', move: this.id, tenant, state, text });
  }

  /** Renews the lease while `work` runs, so that nobody takes over a move that is only slow. */
  async alive<T>(work: () => Promise<T>): Promise<T> {
    const renew = (): void =>
      void this.fleet
        .catalog((connection) => connection.execute(leaseRenewal(this.id, this.driver)))
        .catch(() => undefined);
    const timer = setInterval(renew, LEASE_MS / 3);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  private end(name: Side['name'], { epoch, ...placement }: MoveHome): End {
    const driver = driverOf(placement.tier);
    const home: Home = { tenant: this.tenant, placement, epoch };
    return {
      home,
      driver,
      unit: driver.unit(this.tenant.id, placement),
      side: { name, home, shared: driver.facts.sharesUnit },
    };
  }
}

/**
 * Drives a move of a tenant while no other process works on it.
 * @throws conflict `MOVE_DRIVEN` (exit 5) when another process does, and gives signs of life
 */
export async function withDrive<T>(
  fleet: Fleet,
  move: Pick<StoredMove, 'move' | 'tenant'>,
  work: (drive: Drive) => Promise<T>,
): Promise<T> {
  return fleet.catalogHeld(async (connection) => {
    const attempt = (): Promise<{ value: T } | undefined> =>
      tryWithLock(connection, 'tenant', move.tenant, async () => {
        const drive = await Drive.take(fleet, connection, move.move);
        return drive.alive(() => work(drive));
      });
    const done =
      (await attempt()) ?? ((await endHungDriver(connection, move.move)) ? await attempt() : undefined);
    if (done !== undefined) return done.value;
    throw driven(await requireMove(connection, move.move));
  });
}

/**
 * A driver that hangs still holds the tenant's lock. When its lease is over its session is ended; whatever it
 * wakes up to, the move has another driver then.
 */
async function endHungDriver(connection: Connection, id: string): Promise<boolean> {
  const { leased, tenant } = await requireMove(connection, id);
  if (leased) return false;
  return endHolders(connection, 'tenant', tenant);
}

function driven({ move, tenant, driver, state }: StoredMove) {
  return conflictError(
    'MOVE_DRIVEN',
    `Another process drives the move of tenant ${tenant}, or works on that tenant.`,
    {
      hint: `\`tenantctl moves watch ${shortId(move)}\` follows it.`,
      facts: { move, tenant, driver, state },
    },
  );
}
