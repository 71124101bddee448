import { defineCommand } from '../command.js';

export const init = defineCommand({
  path: ['init'],
  summary: 'write a starter configuration and install the catalog',
  description:
    'Writes tenantctl.config.yaml where there is no configuration yet, and installs the catalog, or brings it up to date. Done again, it changes nothing.',
  examples: [
    { run: 'tenantctl init', does: 'begin in this folder, on a local server' },
    { run: 'tenantctl init --catalog "$CATALOG_URL"', does: 'install the catalog on your own server' },
  ],
  needs: 'nothing',
  changes: true,
});
