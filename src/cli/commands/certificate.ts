import { defineCommand } from '../command.js';

export const certificate = defineCommand({
  path: ['certificate'],
  summary: 'show the signed record of a deletion',
  description:
    'What was deleted, when and by whom, what a second look found, and what may still hold the data until when. It stays in the catalog when the tenant is gone.',
  arguments: { id: { summary: 'the deleted tenant' } },
  options: {
    out: {
      type: 'string',
      value: 'file',
      path: true,
      summary: 'write it to this file, to hand it over; never over another file',
    },
  },
  examples: [
    { run: 'tenantctl certificate acme', does: 'on one screen' },
    { run: 'tenantctl certificate acme --out acme.certificate.json', does: 'the signed file for an auditor' },
  ],
  needs: 'fleet',
  changes: false,
});

export const certificateVerify = defineCommand({
  path: ['certificate', 'verify'],
  summary: 'prove that a certificate is as it was signed; needs neither database nor configuration',
  description:
    'Checks form and signature, and that what it says fits together: every row gone, nothing found again, nothing before its day, no legal hold. Without --key the key that came with the file is used, which proves only that the file was not changed since.',
  arguments: { file: { summary: 'the file' } },
  options: {
    key: {
      type: 'string',
      value: 'file',
      path: true,
      summary: 'public key that must have signed it, as PEM, from somewhere else than the file',
    },
  },
  examples: [
    {
      run: 'tenantctl certificate verify acme.certificate.json --key fleet.pub.pem',
      does: 'exit 0 when it is right, 8 when it is not',
    },
  ],
  needs: 'nothing',
  changes: false,
});

export const certificateKey = defineCommand({
  path: ['certificate', 'key'],
  summary: 'print the public key that certificates, exports and checkpoints are verified with',
  description:
    'Give it to auditors once, by another way than the certificates. Its id stands in each of them.',
  examples: [
    { run: 'tenantctl certificate key > fleet.pub.pem', does: 'the public key of signing.key as PEM' },
  ],
  needs: 'fleet',
  changes: false,
});
