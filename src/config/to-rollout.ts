import { parseSelectors } from '../core/selector.js';
import type { HealthCheck, RolloutSettings, WaveSettings } from '../core/settings.js';
import type { ConfigValues } from './schema.js';

type RolloutValues = ConfigValues['rollout'];
type WaveValues = RolloutValues['waves'][number];

/** The policy of runs as the engine takes it. */
export function toRollout(values: RolloutValues): RolloutSettings {
  const { failureBudget, throttle } = values;
  return {
    order: values.order,
    concurrency: values.concurrency,
    lockTimeoutMs: values.lockTimeout,
    blockingTimeoutMs: values.blockingTimeout,
    statementTimeoutMs: values.statementTimeout,
    retries: values.retries,
    indexBuilds: values.indexBuilds,
    batchPauseMs: values.batchPause,
    window: values.window ?? null,
    failureBudget: {
      count: failureBudget.count,
      percent: failureBudget.percent,
      consecutive: failureBudget.consecutive ?? null,
    },
    onFailure: values.onFailure,
    waves: values.waves.map(toWave),
    throttle: {
      replicationLagMs: throttle.replicationLag ?? null,
      activeSessions: throttle.activeSessions ?? null,
      sql: throttle.sql ?? null,
    },
  };
}

function toWave({ name, select, max, percent, bake, approve, checks }: WaveValues): WaveSettings {
  return {
    name,
    select: select === undefined ? null : parseSelectors(select),
    max: max ?? null,
    percent: percent ?? null,
    bakeMs: bake ?? 0,
    approve,
    checks: checks.map((check) => ({ ...check }) as HealthCheck),
  };
}
