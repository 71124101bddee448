import type { UninstallReport } from '../../core/uninstall.js';

/** What one place has to say. */
export type Part = Pick<UninstallReport, 'removed' | 'kept' | 'blockers'>;

export const NOTHING: Part = { removed: [], kept: [], blockers: [] };

export function together(parts: readonly Part[]): Part {
  return {
    removed: parts.flatMap(({ removed }) => removed),
    kept: parts.flatMap(({ kept }) => kept),
    blockers: parts.flatMap(({ blockers }) => blockers),
  };
}
