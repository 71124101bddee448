import { describe, expect, it } from 'vitest';
import { PROBES } from '../../../src/engine/isolation/probes/registry.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { useServer } from '../../support/server.js';
import { probedFleet } from './probing.js';

const server = useServer();

/** What a probe finds after an example of its page. */
async function foundAfter(sql: string): Promise<string[]> {
  const fleet = await probedFleet(server.current);
  const { schema } = fleet.settings.tenancy.names;
  if (sql.includes('t_acme'))
    for (const id of ['north', 'south'])
      await provisionTenant(fleet.fleet, { id, tier: 'schema', cluster: 'main' });
  await fleet.change(sql.replaceAll('t_acme', schema.replace('{id}', 'north')));
  const { findings } = await fleet.probe();
  return findings.map(({ rule }) => rule);
}

describe.each(PROBES)('$name', ({ name, bad, good }) => {
  it('finds its bad example', { timeout: 60_000 }, async () => {
    expect(await foundAfter(bad)).toContain(name);
  });

  it('finds nothing in its good example', { timeout: 60_000 }, async () => {
    expect(await foundAfter(good)).toEqual([]);
  });
});
