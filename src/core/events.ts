import type { MoveMethod, MoveState } from './move.js';
import type { Tier } from './tier.js';

/**
 * What the engine says while it works. A closed, versioned union: renderers and `--events` rely on
 * its shape. Events are for watching only; what must be kept is a row in the same transaction as
 * the change.
 */
export type FleetEvent =
  | { type: 'run.started'; kind: string; units: number; tenants: number; target: string | null }
  | { type: 'run.finished'; status: RunStatus; totals: UnitTotals; durationMs: number }
  | { type: 'wave.started'; wave: string; units: number }
  | { type: 'wave.finished'; wave: string; succeeded: number; failed: number }
  | {
      type: 'wave.waiting';
      wave: string;
      for: 'approval' | 'bake' | 'window' | 'throttle' | 'move';
      until: string | null;
      reason: string;
    }
  | { type: 'wave.resumed'; wave: string }
  | { type: 'run.halted'; reason: string }
  | { type: 'unit.started'; unit: string; tier: Tier; wave: string | null }
  | { type: 'unit.step'; unit: string; step: string }
  | {
      type: 'unit.progress';
      unit: string;
      done: number;
      total: number | null;
      of: 'rows' | 'bytes' | 'tables';
    }
  | { type: 'unit.finished'; unit: string; outcome: UnitOutcome; ms: number; fault: EventFault | null }
  | { type: 'move.started'; move: string; tenant: string; from: string; to: string; method: MoveMethod }
  | { type: 'move.step'; move: string; tenant: string; state: MoveState; text: string }
  | { type: 'move.progress'; move: string; table: string; rows: number; total: number | null }
  | { type: 'move.finished'; move: string; tenant: string; state: MoveState; writePauseMs: number | null }
  | { type: 'tenant.step'; tenant: string; text: string }
  | { type: 'export.started'; tenant: string; tables: number }
  | { type: 'export.progress'; tenant: string; table: string; rows: number; bytes: number }
  | { type: 'export.finished'; tenant: string; rows: number; bytes: number; directory: string }
  | { type: 'notice'; level: 'info' | 'warning'; code: string; message: string };

export type RunStatus = 'running' | 'waiting' | 'succeeded' | 'failed' | 'paused' | 'partial' | 'aborted';
export type UnitOutcome = 'succeeded' | 'failed' | 'skipped' | 'rolledBack' | 'unchanged';

export interface UnitTotals {
  /** Of the run, and the tenants in them; units that were there already are beside them. */
  units: number;
  tenants: number;
  succeeded: number;
  failed: number;
  skipped: number;
  rolledBack: number;
  pending: number;
}

export interface EventFault {
  code: string;
  sqlstate: string | null;
  message: string;
}

export const EVENT_VERSION = 1;

/** A stamped event, as `--events` writes it. */
export type StampedEvent = { v: typeof EVENT_VERSION; run: string; seq: number; at: string } & FleetEvent;

/** Says what happens; `run` names the stored run it belongs to, when there is one. */
export type Emit = (event: FleetEvent, run?: string) => void;
export type EventListener = (event: StampedEvent) => void;

/**
 * One stream of events: stamps each with run, sequence and time, and hands it to every listener at
 * once. A listener that throws is dropped, so that a broken terminal cannot break the work.
 */
export function eventStream(run: string, listeners: Iterable<EventListener>): Emit {
  const live = new Set(listeners);
  let seq = 0;
  return (event, ofRun = run) => {
    seq += 1;
    const at = new Date().toISOString();
    const stamped: StampedEvent = { v: EVENT_VERSION, run: ofRun, seq, at, ...event };
    for (const listener of live) {
      try {
        listener(stamped);
      } catch {
        live.delete(listener);
      }
    }
  };
}
