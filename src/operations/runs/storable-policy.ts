import type { RunPolicy } from '../../core/run-policy.js';
import type { WaveSettings } from '../../core/settings.js';

/**
 * A policy as it may be stored or written into a plan: without its health checks, because their commands may
 * carry tokens out of the environment.
 */
export function storablePolicy(policy: RunPolicy): RunPolicy {
  return { ...policy, waves: policy.waves.map((wave) => ({ ...wave, checks: [] })) };
}

/** A stored wave with the health checks that the configuration has for it now. */
export function withChecks(wave: WaveSettings, configured: readonly WaveSettings[]): WaveSettings {
  return { ...wave, checks: configured.find(({ name }) => name === wave.name)?.checks ?? [] };
}
