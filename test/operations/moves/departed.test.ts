import { expect, test } from 'vitest';
import { goOn } from '../../../src/operations/moves/conduct.js';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { stuckMoves } from '../../../src/operations/doctor/stuck-moves.js';
import { movesList, movesShow } from '../../../src/operations/moves/list.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { moveReportText } from '../../../src/render/move-text.js';
import { chooseColors } from '../../../src/render/colors.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { dyingFleet } from '../../engine/tiers/support.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';

const server = useServer();

test('a move that was killed right after the decision is told as what it is: past it, with nothing to abort', async () => {
  const { fleet, settings } = await newFleet(server.current, {
    migrations: directoryOf(
      numbered('create table guest (tenant_id uuid not null, id int not null, primary key (tenant_id, id));'),
    ),
    seed: null,
  });
  await provisionTenant(fleet, { id: 'ann', tier: 'schema', cluster: 'main' });
  const dying = dyingFleet(fleet, 'move.left');
  await expect(
    promote(dying, { id: 'ann', to: 'database', method: 'online' }, { dryRun: false }),
  ).rejects.toThrow('died at');
  await dying.close();

  const report = await movesShow(fleet, 'ann');
  expect(report).toMatchObject({
    state: 'moved',
    note: expect.stringContaining('refused everywhere') as string,
  });
  expect((await movesList(fleet, 10)).moves[0]).toMatchObject({ state: 'moved' });
  const text = moveReportText(report, chooseColors({ env: {}, isTTY: false, refused: true }), {
    hashes: false,
  });
  expect(text).toContain('moves resume ann');
  expect(text).not.toContain('moves abort');

  await query(settings.catalogUrl, `update tenantctl_catalog.moves set lease_until = now() - interval '1 s'`);
  const [finding] = await stuckMoves(fleet);
  expect(finding).toMatchObject({ rule: 'move-stuck', level: 'error' });
  expect(finding?.message).toContain('refused everywhere until then');
  expect(finding?.hint).not.toContain('moves abort');

  await goOn(fleet, await fleet.catalog((connection) => requireMove(connection, report.move)));
  expect(await movesShow(fleet, 'ann')).toMatchObject({ state: 'grace', note: null });
});
