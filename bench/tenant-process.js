import { startLoad } from './load.js';

/** A tenant at work in a process of its own (see at-work.js), whose parent knows where it lives and asks by messages. */
const asking = [];

function route() {
  process.send({ ask: 'route' });
  return new Promise((found) => asking.push(found));
}

const load = startLoad(route, { connections: 2, customers: Number(process.argv[2]) });

process.on('message', async ({ ask, count, route: found }) => {
  if (found !== undefined) return asking.shift()(found);
  const answers = { commits: load.commits, latencies: load.takeLatencies, stop: load.stop };
  const answer = await answers[ask](count);
  // Many tokens take more than one write.
  process.send({ answer }, () => ask === 'stop' && process.disconnect());
});

// Its parent is gone, in whatever way.
process.on('disconnect', () => process.exit());
