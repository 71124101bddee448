import { startLoad } from './load.js';

/**
 * A tenant at work in a process of its own, so that what is measured of it is the server's doing and not that of the process
 * that moves rows. Its parent asks for latencies by messages.
 */
const [route, url, customers] = JSON.parse(process.argv[2]);
const load = startLoad(
  async () => route,
  () => url,
  { connections: 2, customers },
);

process.on('message', async ({ ask, count }) => {
  if (ask === 'commits') await load.commits(count);
  if (ask === 'stop') await load.stop();
  process.send(ask === 'latencies' ? load.takeLatencies() : 'done');
  if (ask === 'stop') process.disconnect();
});

// Its parent is gone, in whatever way.
process.on('disconnect', () => process.exit());
