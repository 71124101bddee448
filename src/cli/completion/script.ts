import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { type Level, levelsOf } from './levels.js';
import { zshScript } from './zsh.js';
import type { Command } from '../command.js';

export type Shell = 'bash' | 'zsh' | 'fish';

const SCRIPTS: Record<Shell, (levels: readonly Level[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** A script that completes commands, options and choices. It is complete in itself: no call of tenantctl per key. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return SCRIPTS[shell](levelsOf(commands));
}
