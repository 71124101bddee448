import { defineCommand } from '../command.js';

export const configShow = defineCommand({
  path: ['config', 'show'],
  summary: 'every setting, its value and where it came from',
  examples: [
    { run: 'tenantctl config show', does: 'value, file and line, variable or flag of each setting' },
  ],
  needs: 'config',
  changes: false,
});

export const configCheck = defineCommand({
  path: ['config', 'check'],
  summary: 'check the configuration, without connecting to anything',
  examples: [{ run: 'tenantctl config check', does: 'exit 3 and every problem at once, if there is any' }],
  needs: 'config',
  changes: false,
});

export const configSchema = defineCommand({
  path: ['config', 'schema'],
  summary: 'print the JSON Schema of the configuration',
  examples: [
    {
      run: 'tenantctl config schema > tenantctl.schema.json',
      does: 'for an editor that completes and checks',
    },
  ],
  needs: 'nothing',
  changes: false,
});
