import { expect, test } from 'vitest';
import { placeHold } from '../../../src/operations/retention/hold.js';
import { suspendTenant } from '../../../src/operations/suspend.js';
import { uninstall } from '../../../src/operations/uninstall/uninstall.js';
import { useServer } from '../../support/server.js';
import { withFleet } from '../provision-support.js';
import { leftovers, madeByUs } from './left.js';

const server = useServer();

test('uninstall names all that stands in its way at once, and removes nothing', async () => {
  const made = await madeByUs(server.current);
  await suspendTenant(made.fleet, 'acme', { dryRun: false });
  const actor = { actor: 'jo', reason: 'a lawsuit', ticket: null };
  await withFleet(made.settings, { actor }, (fleet) => placeHold(fleet, 'small', { dryRun: false }));
  await made.run('pool', 'create view app.homes as select tenant from tenantctl.placement');
  const there = await leftovers(server.current, made);
  await expect(uninstall(made.fleet, { dryRun: false })).rejects.toMatchObject({
    code: 'UNINSTALL_BLOCKED',
    exit: 6,
    facts: {
      blockers: [
        expect.stringContaining('tenant small is on hold') as string,
        expect.stringContaining('tenant acme is suspended') as string,
        expect.stringContaining('on app.homes uses schema tenantctl') as string,
      ],
    },
  });
  expect((await uninstall(made.fleet, { dryRun: true })).blockers).toHaveLength(3);
  expect(await leftovers(server.current, made)).toEqual(there);
  expect(there).toContain('schema tenantctl');
});
