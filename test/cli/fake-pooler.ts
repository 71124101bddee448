import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { once } from 'node:events';

const BACKEND_KEY_DATA = 'K'.charCodeAt(0);
const HEADER = 5;

/**
 * Stands between a client and a server and gives out process ids of its own, as a transaction pooler
 * does: that is all by which it can be known.
 */
export async function startFakePooler(port: number): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<{ destroy: () => void }>();
  const server: Server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    sockets.add(client).add(upstream);
    const forge = forger();
    upstream.on('data', (chunk: Buffer) => void client.write(forge(chunk)));
    client.pipe(upstream);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
}

/** Lets whole messages pass until the one with the process id, which it changes, and from then on everything. */
function forger(): (chunk: Buffer) => Buffer {
  let kept: Buffer | undefined = Buffer.alloc(0);
  return (chunk) => {
    if (kept === undefined) return chunk;
    const bytes = Buffer.concat([kept, chunk]);
    let at = 0;
    while (at + HEADER <= bytes.length && at + lengthOf(bytes, at) <= bytes.length) {
      if (bytes[at] === BACKEND_KEY_DATA) {
        bytes.writeInt32BE(bytes.readInt32BE(at + HEADER) + 1, at + HEADER);
        kept = undefined;
        return bytes;
      }
      at += lengthOf(bytes, at);
    }
    kept = bytes.subarray(at);
    return bytes.subarray(0, at);
  };
}

function lengthOf(bytes: Buffer, at: number): number {
  return 1 + bytes.readInt32BE(at + 1);
}
