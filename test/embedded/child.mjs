// A command of its own, to be killed or run as another user. It starts the server that argv describes, says
// how that went in one line, and stays until its stdin ends.
import { startLocalServer } from '../../dist/embedded/server.js';

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
try {
  const server = await startLocalServer(JSON.parse(process.argv[2]));
  const { pid, port, adopted, version, dataDirectory } = server;
  say({ pid, port, adopted, version, dataDirectory, adminUrl: server.adminUrl('postgres') });
  process.stdin.resume();
} catch (error) {
  say({ code: error.code, message: error.message, hint: error.hint });
}
