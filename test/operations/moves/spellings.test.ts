import { expect, test } from 'vitest';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { goBack, goOn } from '../../../src/operations/moves/conduct.js';
import { movesShow } from '../../../src/operations/moves/list.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { showTenant } from '../../../src/operations/show.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { dyingFleet } from '../../engine/tiers/support.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';

const server = useServer();

const WORDS = `
  create collation "any Case" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  create table word (tenant_id uuid not null, w text collate "any Case" not null, n int, primary key (tenant_id, w));`;

/** One row under three spellings of its key, each of which is marked. */
const respell = (key: string, word: string) => `
  insert into word values ('${key}', '${word}', 1);
  update word set w = upper(w) where w = '${word}';
  update word set w = initcap(w) where w = '${word}';`;

test('a key whose spellings count as equal moves, and comes back, as it is spelled last', async () => {
  const { fleet } = await newFleet(server.current, { migrations: directoryOf(numbered(WORDS)), seed: null });
  await provisionTenant(fleet, { id: 'ann', tier: 'pool', cluster: 'main' });
  const at = async (sql: (key: string) => string) => {
    const { database, schema, key } = (await showTenant(fleet, 'ann')).tenant;
    const url = server.current.superuserUrl(database);
    await query(url, `set search_path = "${schema}"; ${sql(key)}`);
    const rows = await query<{ w: string }>(
      url,
      `select w from "${schema}".word where tenant_id = $1 order by w`,
      [key],
    );
    return rows.map(({ w }) => w);
  };
  const dying = dyingFleet(fleet, 'move.copied');
  await expect(
    promote(dying, { id: 'ann', to: 'schema', method: 'online' }, { dryRun: false }),
  ).rejects.toThrow('died at');
  await dying.close();
  await at((key) => respell(key, 'there'));
  const stored = () =>
    fleet.catalog(async (connection) => requireMove(connection, (await movesShow(fleet, 'ann')).move));
  expect(await goOn(fleet, await stored())).toMatchObject({ state: 'grace' });
  expect(await at((key) => respell(key, 'back'))).toEqual(['Back', 'There']);
  expect(await goBack(fleet, await stored())).toMatchObject({ state: 'undone' });
  expect(await at(() => '')).toEqual(['Back', 'There']);
});
