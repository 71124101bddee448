import { LEDGER_TOOLS } from '../../core/adoption.js';
import { defineCommand } from '../command.js';

export const adopt = defineCommand({
  path: ['adopt'],
  summary: 'take a fleet that is there already under management',
  description:
    'First --discover writes a list of what is there, for a person to read and correct; then --from takes the list in. Only the catalog and schema tenantctl are written, no object of the application. The same list again takes in what is new.',
  options: {
    discover: {
      type: 'boolean',
      summary: 'list what is there and not under management, as CSV; without patterns by tenancy.names',
    },
    schemas: {
      type: 'string',
      value: 'like',
      summary: 'schemas to find; in the databases of --databases where that is given too',
    },
    databases: { type: 'string', value: 'like', summary: 'databases to find, each one tenant' },
    sql: {
      type: 'string',
      value: 'query',
      summary: 'a query that lists tenants in the columns of the list; only reads',
    },
    out: { type: 'string', value: 'file', path: true, summary: 'write the list to a file' },
    from: {
      type: 'string',
      value: 'file',
      path: true,
      summary: 'take in the tenants of a CSV or NDJSON file; "-" is stdin',
    },
    ledger: {
      type: 'choice',
      value: 'tool',
      choices: ['auto', ...LEDGER_TOOLS],
      summary: 'whose ledger the units have; auto, the default: whichever is found',
    },
    dualWrite: { type: 'boolean', summary: "keep the other tool's ledger true from now on" },
    accept: {
      type: 'list',
      value: 'shape',
      summary: 'take units of this shape in although most of their version look otherwise',
    },
  },
  examples: [
    { run: "tenantctl adopt --discover --schemas 'tenant_%' > fleet.csv", does: 'what is there' },
    {
      run: 'tenantctl adopt --from fleet.csv --dry-run',
      does: 'what would be taken in, and what not, and why',
    },
    { run: 'tenantctl adopt --from fleet.csv', does: 'take it in; exit 7 when some were refused' },
    {
      run: `tenantctl adopt --discover --sql 'select slug as id, id as "tenantKey" from tenants'`,
      does: 'tenants of a pool under the names that the application gives them',
    },
  ],
  needs: 'fleet',
  changes: true,
});
