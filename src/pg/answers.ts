import { type Socket, connect } from 'node:net';

/** The request for TLS of PostgreSQL's protocol: every server and pooler answers it with one letter, before anybody logs in. */
const TLS_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const LETTERS = new Set(['S', 'N', 'E']);

/**
 * Whether PostgreSQL, or a pooler that speaks for it, answers at a place; no login is needed, and no session begun.
 * @param patience milliseconds
 * @returns null when it does, otherwise why not
 */
export async function noAnswer(host: string, port: number, patience: number): Promise<string | null> {
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  try {
    return await firstWord(socket, patience);
  } finally {
    socket.destroy();
  }
}

function firstWord(socket: Socket, patience: number): Promise<string | null> {
  return new Promise((resolve) => {
    socket.setTimeout(patience, () => resolve(`no answer within ${patience / 1_000} s`));
    socket.on('error', ({ message }) => resolve(message));
    socket.on('close', () => resolve('it hangs up'));
    socket.on('connect', () => socket.write(TLS_REQUEST));
    socket.on('data', (answer) =>
      resolve(LETTERS.has(answer.toString('latin1', 0, 1)) ? null : 'it does not speak as PostgreSQL does'),
    );
  });
}
