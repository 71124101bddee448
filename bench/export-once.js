import { exportTenant } from '../dist/operations/export.js';
import { openFleet } from './support.js';

/** One export in a process of its own, which tells how much memory it took at most. */
const { url, port, settings, id, directory } = JSON.parse(process.argv[2]);
const server = { adminUrl: (database) => url.replace('DATABASE', database), port };
const fleet = await openFleet(server, settings);
await exportTenant(fleet, { id, directory }, { dryRun: false });
await fleet.close();
process.send({ maxRssMb: process.resourceUsage().maxRSS / 1024 }, () => process.disconnect());
