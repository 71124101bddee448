import { defineCommand } from '../command.js';

export const exportTenant = defineCommand({
  path: ['export'],
  summary: 'write everything of a tenant to a folder that anyone can read and verify',
  description:
    'All rows of one moment as CSV or NDJSON, the SQL that makes their tables, and a signed manifest with counts and hashes, as a BagIt folder. The tenant goes on working. The folder has its name only when it is whole; an existing one is never touched.',
  arguments: { id: { summary: 'id of the tenant' } },
  options: {
    out: {
      type: 'string',
      value: 'folder',
      path: true,
      summary: 'new folder for the export; "-" writes it to stdout as a tar; required',
    },
    format: {
      type: 'choice',
      choices: ['csv', 'ndjson'],
      value: 'format',
      default: 'csv',
      summary: 'csv as COPY reads and writes it, or one JSON object a line',
    },
    gzip: { type: 'boolean', summary: 'compress the files of the tables' },
  },
  examples: [
    { run: 'tenantctl export acme --out exports/acme', does: 'to a folder, readable by you alone' },
    { run: 'tenantctl export acme --out exports/acme --format ndjson --gzip', does: 'for a data platform' },
    { run: 'tenantctl export acme --out - | gzip > acme.tar.gz', does: 'out of a container' },
    { run: 'tenantctl export acme --out exports/acme --dry-run', does: 'which tables it would hold' },
  ],
  needs: 'fleet',
  changes: true,
});

export const exportVerify = defineCommand({
  path: ['export', 'verify'],
  summary: 'prove that an export is whole and unchanged; needs neither database nor configuration',
  description:
    'Reads every byte: files that are missing, extra, changed or cut off, rows that do not add up, a signature that is not that of the key. Without --key the key that came with the export is used, which proves only that nothing was changed since it was signed.',
  arguments: { dir: { summary: 'folder of the export' } },
  options: {
    key: {
      type: 'string',
      value: 'file',
      path: true,
      summary: 'public key that must have signed it, as PEM, from somewhere else than the export',
    },
  },
  examples: [
    { run: 'tenantctl export verify exports/acme', does: 'exit 0 when it is whole, 8 when anything differs' },
    { run: 'tenantctl export verify exports/acme --key fleet.pub.pem', does: 'and signed with that key' },
  ],
  needs: 'nothing',
  changes: false,
});
