import { installFleet } from '../../operations/install.js';
import { properties } from '../../render/table.js';
import { fillFolder } from './folder.js';
import type { DemoStep } from './step.js';

/** The migrations with which the fleet begins; the later ones are the release of the third step. */
const FIRST_RELEASE = 11;

export const start: DemoStep = {
  name: 'start',
  title: 'Start PostgreSQL and install the catalog',
  why: 'A PostgreSQL of its own, from npm: nothing of this machine is used or changed. The catalog knows every tenant, where it lives and what was done to it.',
  async run(demo) {
    const { folder, narrator } = demo;
    await fillFolder(folder, FIRST_RELEASE);
    const server = await demo.startServer();
    const { catalog, created } = await demo.onNewFleet(installFleet);
    narrator.show(
      properties([
        ['PostgreSQL', `${server.version} on port ${server.port}, administrator without superuser rights`],
        ['fsync', 'off: this fleet need not survive a power failure'],
        ['catalog', `database ${catalog}, ${created.length} migrations of its own`],
        ['folder', folder.path],
      ]),
    );
    return {
      did: `PostgreSQL ${server.version} on port ${server.port}, catalog installed`,
      counts: { version: server.version, port: server.port, catalogMigrations: created.length },
    };
  },
};
