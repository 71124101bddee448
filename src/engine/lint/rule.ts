import type { Finding } from '../../core/finding.js';
import type { PoolRules } from '../../core/pool-rules.js';
import type { Rule } from '../../core/rule.js';
import type { TenancySettings } from '../../core/settings.js';
import type { Tier } from '../../core/tier.js';
import type { AdaptationRules } from '../ledger/adaptation.js';
import type { KnownTables } from './known-tables.js';
import type { Script } from './script.js';
import type { Step } from './step.js';

/** What of the configuration the rules need. */
export interface LintSettings {
  adaptation: AdaptationRules;
  tenancy: Pick<TenancySettings, 'column' | 'shared' | 'rls'>;
  /** What each pool does about row-level security; left out, all follow `tenancy`. */
  pools?: readonly PoolRules[];
  /** Tiers whose tenants share their tables; empty in a fleet that has none. */
  sharedTiers: readonly Tier[];
}

/** What a rule has seen, before it is told as a finding. */
export interface Sighting {
  /** UTF-16 offset of the place in the file's text. */
  at: number;
  message: string;
  /** Its own next step, where the rule's remedy is too general. */
  hint?: string;
  /** Lighter, or graver, than the rule usually is. */
  level?: Finding['level'];
  /** Statements that do the same without the danger. */
  sql?: readonly string[];
}

/** Everything that is known where a rule looks. */
export interface Scene {
  script: Script;
  /** The tables as the files before, and the steps before in this one, have left them. */
  known: KnownTables;
  settings: LintSettings;
  /** Do tenants share the tables that this file makes? */
  pooled: boolean;
  /** Has any file of the directory a way back? */
  anyDown: boolean;
}

/** A rule over migration files: what it says of itself, and how it looks. */
export interface LintRule extends Rule {
  check: 'migrations';
  /** Does it look at the way back, too? */
  down?: true;
  /** Without this thing mended nothing runs, so it cannot be allowed. */
  final?: true;
  /** At one statement, or one action of an ALTER TABLE. */
  step?: (step: Step, scene: Scene) => readonly Sighting[];
  /** At the whole file, when its steps are known. */
  file?: (scene: Scene) => readonly Sighting[];
}
