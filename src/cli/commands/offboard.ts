import { defineCommand } from '../command.js';

export const offboard = defineCommand({
  path: ['offboard'],
  summary: 'shut a tenant, export it, and schedule its deletion',
  description:
    'Readers and writers are refused (TC002), its data is exported, and it is deleted by `retention run` once its retention period is over, with a certificate. Until then --cancel brings it back whole. Nothing is deleted here.',
  arguments: { id: { summary: 'id of the tenant' } },
  options: {
    export: {
      type: 'string',
      value: 'folder',
      path: true,
      summary: 'where to export it to; default: a new folder under retention.directory',
    },
    withoutExport: { type: 'boolean', summary: 'export nothing: what is deleted is then gone for good' },
    retain: {
      type: 'duration',
      value: 'duration',
      configEnv: 'TENANTCTL_RETENTION_PERIOD',
      summary: 'time until it may be deleted',
    },
    requestedBy: { type: 'string', value: 'who', summary: 'who asked for it; default: the actor' },
    basis: { type: 'string', value: 'text', summary: 'the legal basis, kept in its certificate' },
    cancel: { type: 'boolean', summary: 'bring it back, with the status it had' },
  },
  examples: [
    {
      run: 'tenantctl offboard acme --requested-by "DPO of Acme" --basis "GDPR Art. 17" --ticket DSR-104',
      does: 'suspended, exported, due in 30 days',
    },
    {
      run: 'tenantctl offboard acme --export ./acme --retain 7d --yes',
      does: 'another folder, another time',
    },
    { run: 'tenantctl offboard acme --cancel', does: 'back again, whole' },
  ],
  needs: 'fleet',
  changes: true,
  confirms: { question: 'Offboard tenant {id}?', typed: 'id', unless: 'cancel' },
});
