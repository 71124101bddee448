import { defineCommand } from '../command.js';

export const help = defineCommand({
  path: ['help'],
  summary: 'show the help of tenantctl or of one command',
  arguments: { command: { summary: 'words of a command', optional: true, variadic: true } },
  examples: [{ run: 'tenantctl help config show', does: 'the same as tenantctl config show --help' }],
  needs: 'nothing',
  changes: false,
});
