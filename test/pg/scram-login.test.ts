import { expect, test, vi } from 'vitest';
import { Connection } from '../../src/pg/connection.js';
import { query, useServer } from '../support/server.js';

const server = useServer();

const open = async (url: string): Promise<string> => {
  const endpoint = { name: 'main', url, maxConnections: 1, maxPerDatabase: 1 };
  const connection = await Connection.open(endpoint, 'postgres', 'test');
  const { user } = connection;
  await connection.close();
  return user;
};

test('the key of a password is derived once, however many connections there are; of another password anew; the rest is hashed on the spot', async () => {
  const admin = server.current.superuserUrl('postgres');
  await query(admin, `create role scram_test login password 'first'`);
  const urlOf = (password: string): string => {
    const url = new URL(admin);
    [url.username, url.password] = ['scram_test', password];
    return url.toString();
  };
  const derivations = vi.spyOn(globalThis.crypto.subtle, 'deriveBits');
  const elsewhere = vi.spyOn(globalThis.crypto.subtle, 'sign');
  for (let count = 0; count < 3; count += 1) expect(await open(urlOf('first'))).toBe('scram_test');
  expect(derivations).toHaveBeenCalledTimes(1);
  expect(elsewhere).not.toHaveBeenCalled();
  await expect(open(urlOf('wrong'))).rejects.toMatchObject({ exit: 4 });
  await query(admin, `alter role scram_test password 'second'`);
  await expect(open(urlOf('first'))).rejects.toMatchObject({ exit: 4 });
  expect(await open(urlOf('second'))).toBe('scram_test');
  await query(admin, 'drop role scram_test');
});
