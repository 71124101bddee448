import { parseSelectors } from '../core/selector.js';
import type { FailureBudget, HealthCheck, RolloutSettings, WaveSettings } from '../core/settings.js';
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
    failureBudget: toBudget(failureBudget),
    onFailure: values.onFailure,
    waves: values.waves.map(toWave),
    throttle: {
      replicationLagMs: throttle.replicationLag ?? null,
      activeSessions: throttle.activeSessions ?? null,
      sql: throttle.sql ?? null,
    },
  };
}

const USUAL_COUNT = 3;
const USUAL_PERCENT = 1;

/** Who gives one limit means that one: the other's default would cut it short. */
function toBudget({ count, percent, consecutive }: RolloutValues['failureBudget']): FailureBudget {
  const limits =
    count === undefined && percent === undefined
      ? { count: USUAL_COUNT, percent: USUAL_PERCENT }
      : { count: count ?? null, percent: percent ?? null };
  return { ...limits, consecutive: consecutive ?? null };
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
