import type { Connection } from '../../pg/connection.js';
import { type Attempt, type Outcome, attemptScript, outcomesOf } from './attempt.js';
import type { Context } from './table-run.js';
import { type Scene, application, beginWith, newPair, ownerWrites, send } from './scene.js';
import { NoRow, RowMaker } from './specimen/make-rows.js';

/** Where and how something was crossed; a sentence when nothing was proved. */
export type Crossings = { command: string; context: Context }[] | string;

/** Makes attempts as the application, in a transaction that goes on. */
export async function tryAs(
  session: Connection,
  scene: Scene,
  key: string | null,
  attempts: readonly Attempt[],
): Promise<Outcome[]> {
  const results = await session.message(`${application(scene, key)}; ${attemptScript(attempts)}`);
  return outcomesOf(results, 0, attempts);
}

/** @param wanted values that conditions ask for */
export function makerFor(session: Connection, scene: Scene, wanted: readonly string[]): RowMaker {
  const { column } = scene.fleet.settings.tenancy;
  return new RowMaker(session, scene.tables, column, scene.owned, ownerWrites(scene), wanted);
}

/** Gives a tenant a row in each of these tables that hold rows of tenants. */
export async function fill(
  maker: RowMaker,
  scene: Scene,
  tables: readonly string[],
  tenant: string,
): Promise<void> {
  for (const name of tables) {
    const table = scene.tables.get(name);
    if (table !== undefined && scene.owned.tables.has(name)) await maker.rowFor(table, tenant);
  }
}

/**
 * Asks in the context of one tenant before it has rows, when it has them, and when another one has got some too. What
 * shows no tenant column is told by this alone: its answer must not change by the rows of others.
 * @param sources views and calls of functions, as they stand in FROM
 * @param tables those that they may read; where no row can be made in one, it is left out
 */
export async function crossedByChange(
  session: Connection,
  scene: Scene,
  sources: readonly string[],
  tables: readonly string[],
  wanted: readonly string[] = [],
): Promise<Crossings[]> {
  const pair = newPair(scene);
  await send(session, beginWith(scene, pair));
  const maker = makerFor(session, scene, wanted);
  const look = () => tryAs(session, scene, pair.own.key, sources.map(digest));
  const looks = [await look(), await look()];
  await fillWhatFits(maker, scene, tables, pair.own.key);
  looks.push(await look());
  await fillWhatFits(maker, scene, tables, pair.foreign.key);
  looks.push(await look());
  return sources.map((_, n) => judge(looks.map((outcomes) => outcomes[n] as Outcome)));
}

/** A sum of all that is shown, whatever its order is. */
function digest(from: string): Attempt {
  const statement = `select coalesce(sum(hashtextextended(x::text, 0)::numeric) % 9000000000000000000, 0)::bigint + count(*) % 1000 from ${from} x`;
  return { command: 'SELECT', how: 'everything', counts: true, statement };
}

function judge(looks: readonly Outcome[]): Crossings {
  const failed = looks.find(({ rows }) => rows === null);
  if (failed !== undefined) return `it fails: ${failed.message}`;
  const [empty, again, own, both] = looks.map(({ message }) => message);
  if (empty !== again) return 'it shows something else each time';
  if (own !== both) return [{ command: 'SELECT', context: 'the context of another tenant' }];
  return own === empty ? "it does not show the probing tenant's own rows" : [];
}

async function fillWhatFits(
  maker: RowMaker,
  scene: Scene,
  tables: readonly string[],
  tenant: string,
): Promise<void> {
  for (const name of tables)
    await fill(maker, scene, [name], tenant).catch((error: unknown) => {
      if (!(error instanceof NoRow)) throw error;
    });
}
