import { expect, it } from 'vitest';
import { ZOO } from '../moves/zoo.js';
import { useServer } from '../../support/server.js';
import { fleetWith, probedFleet } from './probing.js';

const server = useServer();

it(
  'nothing is found in the pool of the sample product, and all of it is probed',
  { timeout: 60_000 },
  async () => {
    const { findings, coverage } = await (await probedFleet(server.current)).probe();
    expect(findings).toEqual([]);
    expect(coverage.notProbed).toEqual([]);
    expect(coverage.probed).toBe(coverage.probes);
    expect(coverage.tables).toBeGreaterThan(15);
  },
);

it('nothing is found among tables with everything that is awkward', { timeout: 60_000 }, async () => {
  const { findings, coverage } = await (await fleetWith(server.current, ZOO.join('\n'))).probe();
  expect(findings).toEqual([]);
  expect(coverage.notProbed).toEqual([]);
  expect(coverage.probed).toBe(coverage.probes);
});
