import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Checkpoint } from '../../../src/core/audit.js';
import { isTenantctlError } from '../../../src/core/errors.js';
import { generateSigningKey } from '../../../src/core/signature.js';
import { writeCheckpoint } from '../../../src/operations/audit/checkpoint.js';
import { query } from '../../support/server.js';
import { useLog } from './log.js';

const log = useLog();
const checkpoint = (fleet = log.current.fleet) => writeCheckpoint(fleet, log.current.file, { dryRun: false });
const lines = () =>
  readFileSync(log.current.file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Checkpoint);
const stored = () =>
  query<{ seq: number; hash: string; file: string }>(
    log.current.made.settings.catalogUrl,
    'select seq::int, hash, written_to as file from tenantctl_catalog.audit_checkpoints order by seq',
  );
const refusal = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(() => undefined).catch((failure: unknown) => failure);
  return isTenantctlError(error) ? { code: error.code, exit: error.exit } : error;
};

test('a checkpoint is one signed line of the file, which nobody else may read, and a row of the catalog', async () => {
  await log.current.write(3);
  const { checkpoint: signed, written } = await checkpoint();
  expect(written).toBe(true);
  expect(lines()).toEqual([signed]);
  expect(signed).toMatchObject({ seq: await log.current.last(), entries: await log.current.last() });
  expect(statSync(log.current.file).mode & 0o777).toBe(0o600);
  expect(await stored()).toEqual([{ seq: signed.seq, hash: signed.hash, file: log.current.file }]);
});

test('again with nothing new changes nothing, and repairs what a crash between file and catalog has left', async () => {
  await checkpoint();
  const before = readFileSync(log.current.file, 'utf8');
  await log.current.tamper('delete from tenantctl_catalog.audit_checkpoints');
  expect(await checkpoint()).toMatchObject({ isNew: false, written: false });
  expect(readFileSync(log.current.file, 'utf8')).toBe(before);
  expect(await stored()).toHaveLength(1);
});

test('a dry run signs nothing and writes no file', async () => {
  const outcome = await writeCheckpoint(log.current.fleet, log.current.file, { dryRun: true });
  expect(outcome).toMatchObject({ isNew: true, written: false });
  expect(existsSync(log.current.file)).toBe(false);
  expect(await stored()).toEqual([]);
});

test('several at once write whole lines, and each state once', async () => {
  const fleets = Array.from({ length: 6 }, () => log.current.made.another());
  for (let round = 0; round < 4; round += 1) {
    await log.current.write(2);
    await Promise.all(fleets.map((fleet) => checkpoint(fleet)));
  }
  const seqs = lines().map(({ seq }) => seq);
  expect(seqs).toHaveLength(4);
  expect(seqs).toEqual([...new Set(seqs)].toSorted((one, other) => one - other));
});

test('a log that was tampered with since the last checkpoint is not signed', async () => {
  await log.current.write(5);
  const { checkpoint: first } = await checkpoint();
  await log.current.write(5);
  await log.current.tamper(
    `update tenantctl_catalog.audit set actor = 'nobody' where seq = ${first.seq + 2}`,
  );
  expect(await refusal(checkpoint())).toEqual({ code: 'AUDIT_DIFFERS', exit: 8 });
  expect(lines()).toHaveLength(1);
});

test('a log that was cut behind the last line of the file is not signed, nor one that was written anew', async () => {
  await log.current.write(5);
  const last = await log.current.last();
  await checkpoint();
  await log.current.tamper(
    'delete from tenantctl_catalog.audit_checkpoints',
    'delete from tenantctl_catalog.audit where seq > 3',
    'update tenantctl_catalog.audit_head h set seq = 3, hash = a.hash from tenantctl_catalog.audit a where a.seq = 3',
  );
  expect(await refusal(checkpoint())).toEqual({ code: 'AUDIT_DIFFERS', exit: 8 });
  await log.current.write(last);
  expect(await refusal(checkpoint())).toEqual({ code: 'AUDIT_DIFFERS', exit: 8 });
  expect(lines()).toHaveLength(1);
});

test('a file whose last line is not ours, not whole, or about another fleet is not added to', async () => {
  const { checkpoint: signed } = await checkpoint();
  await log.current.write(1);
  const whole = readFileSync(log.current.file, 'utf8');
  const differs = { code: 'CHECKPOINTS_DIFFER', exit: 8 };
  appendFileSync(log.current.file, '{"fleet":"half');
  expect(await refusal(checkpoint())).toEqual(differs);
  writeFileSync(log.current.file, whole.replace(signed.at, '2020-01-01T00:00:00.000Z'));
  expect(await refusal(checkpoint())).toEqual(differs);
  writeFileSync(log.current.file, whole.replace(signed.fleet, '00000000-0000-0000-0000-000000000000'));
  expect(await refusal(checkpoint())).toEqual(differs);
  writeFileSync(log.current.file, whole);
  expect(await checkpoint()).toMatchObject({ written: true });
});

test('a new key goes on with the file of the old one, after it has walked the whole chain', async () => {
  await log.current.write(5);
  await checkpoint();
  await log.current.write(5);
  log.current.made.settings.signing.key = generateSigningKey();
  const { checkpoint: second } = await checkpoint();
  const [first] = lines();
  expect(second.keyId).not.toBe(first?.keyId);
  await log.current.write(1);
  await log.current.tamper(`update tenantctl_catalog.audit set actor = 'nobody' where seq = 2`);
  log.current.made.settings.signing.key = generateSigningKey();
  expect(await refusal(checkpoint())).toEqual({ code: 'AUDIT_DIFFERS', exit: 8 });
});

test('without a key nothing is written, and the way to make one is told', async () => {
  log.current.made.settings.signing.key = null;
  const error: unknown = await checkpoint().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'SIGNING_KEY_MISSING', exit: 3 });
  expect((error as { hint: string }).hint).toContain('openssl genpkey -algorithm ed25519');
  expect(existsSync(log.current.file)).toBe(false);
});

test('a folder that is not there is named, and the catalog remembers no checkpoint', async () => {
  const file = `${log.current.file}/nowhere.ndjson`;
  expect(await refusal(writeCheckpoint(log.current.fleet, file, { dryRun: false }))).toEqual({
    code: 'CHECKPOINT_UNWRITABLE',
    exit: 6,
  });
  expect(await stored()).toEqual([]);
});
