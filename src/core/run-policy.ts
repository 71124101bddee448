import type { RolloutSettings } from './settings.js';

/** What a run was told when it was made; it is stored with the run and holds for all who drive it later. */
export interface RunPolicy extends RolloutSettings {
  /** May contract-phase files run? They take away what older versions of an application still use. */
  contract: boolean;
  /** May a down file of this run drop data? */
  allowDataLoss: boolean;
}
