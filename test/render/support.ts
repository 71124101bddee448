import type { FleetEvent, StampedEvent } from '../../src/core/events.js';

/** An event as the stream stamps it. */
export function stamped(event: FleetEvent, seq = 1): StampedEvent {
  return { v: 1, run: 'run-1', seq, at: '2026-01-01T00:00:00.000Z', ...event };
}

export function finished(unit: string, failed = false): StampedEvent {
  const fault = failed
    ? {
        code: 'MIGRATION_FAILED',
        sqlstate: '42P07',
        message: `${unit}: 0001.sql:1:1: relation "x" \u001B[2Jexists\n1 | create\n    ^`,
      }
    : null;
  return stamped({ type: 'unit.finished', unit, outcome: failed ? 'failed' : 'succeeded', ms: 12, fault });
}

type Wait = Extract<FleetEvent, { type: 'wave.waiting' }>;

export function waiting(what: Wait['for'], until: string | null, reason = 'because'): StampedEvent {
  return stamped({ type: 'wave.waiting', wave: 'canary', for: what, until, reason });
}

export function startedUnit(unit: string): StampedEvent {
  return stamped({ type: 'unit.started', unit, tier: 'schema', wave: null });
}

export function startedRun(units: number): StampedEvent {
  return stamped({ type: 'run.started', kind: 'migrate', units, tenants: units, target: '0014_x' });
}
