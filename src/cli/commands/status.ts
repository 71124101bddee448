import { defineCommand } from '../command.js';

export const status = defineCommand({
  path: ['status'],
  summary: 'the fleet at a glance: tiers, versions, what is behind',
  options: {
    exitCode: {
      type: 'boolean',
      summary: 'exit 9 when something is behind, or an old copy of a moved tenant is due',
    },
    require: {
      type: 'string',
      value: 'migration',
      summary: 'behind means: older than this migration, not than the newest due',
    },
  },
  examples: [
    { run: 'tenantctl status', does: 'how the fleet is' },
    {
      run: 'tenantctl status --exit-code --require 14',
      does: 'stop a deployment unless every unit has migration 14',
    },
  ],
  needs: 'fleet',
  changes: false,
});
