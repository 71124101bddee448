import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * A pooler that gives every client the backend of the first: who connects later is told what the first was told at its
 * start, so that the process id is the backend's own. One statement at a time passes, as a transaction pooler does it.
 */
export async function sharedBackendPooler(port: number): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const backends = new Map<string, Backend>();
  const server: Server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => client.destroy());
    client.once('data', (startup: Buffer) => {
      const database = /database\0([^\0]+)/.exec(startup.toString('latin1'))?.[1] ?? '';
      const known = backends.get(database);
      const backend = known ?? new Backend(connect(port, '127.0.0.1'), sockets);
      backends.set(database, backend);
      backend.join(client, startup);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
}

/** AuthenticationOk, with which the part of a greeting begins that is the same for everybody. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);

const READY = 'Z'.charCodeAt(0);

/** One session with the server, shared by clients that take turns. */
class Backend {
  private greeting = Buffer.alloc(0);
  private greeted = false;
  private current: Socket | undefined;
  private readonly queue: { client: Socket; bytes: Buffer }[] = [];

  constructor(
    private readonly upstream: Socket,
    sockets: Set<Socket>,
  ) {
    sockets.add(upstream);
    upstream.on('error', () => upstream.destroy());
    upstream.on('data', (chunk: Buffer) => this.answer(chunk));
  }

  join(client: Socket, startup: Buffer): void {
    client.on('data', (bytes: Buffer) => {
      if (bytes[0] === 'X'.charCodeAt(0)) return client.end();
      // The first client proves who it is; nobody else is asked.
      if (!this.greeted && this.current === client) return this.upstream.write(bytes);
      this.queue.push({ client, bytes });
      this.next();
      return undefined;
    });
    if (this.greeted) client.write(this.greeting.subarray(this.greeting.indexOf(WELCOME)));
    else {
      this.current = client;
      this.upstream.write(startup);
    }
  }

  private answer(chunk: Buffer): void {
    if (!this.greeted) this.greeting = Buffer.concat([this.greeting, chunk]);
    this.current?.write(chunk);
    // The last message of every answer says that the server is ready.
    if (chunk.length < 6 || chunk[chunk.length - 6] !== READY) return;
    this.greeted = true;
    this.current = undefined;
    this.next();
  }

  private next(): void {
    if (this.current !== undefined || !this.greeted) return;
    const turn = this.queue.shift();
    if (turn === undefined) return;
    this.current = turn.client;
    this.upstream.write(turn.bytes);
  }
}
