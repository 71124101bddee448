import { describe, expect, it } from 'vitest';
import { chooseAccount } from '../../src/embedded/account.js';

const passwd = (...names: string[]): string =>
  [
    ...names.map((name, at) => `${name}:x:${100 + at}:${200 + at}::/:/bin/sh`),
    'root:x:0:0::/root:/bin/sh',
    '',
  ].join('\n');

describe('who runs the server', () => {
  it('is the user of the command, unless that is root', () => {
    expect(chooseAccount({ uid: 1000, passwd: '', wanted: 'postgres' }).switchTo).toBeUndefined();
  });

  it('is, for root, the user that TENANTCTL_PG_USER names', () => {
    const account = chooseAccount({ uid: 0, passwd: passwd('postgres', 'nobody', 'pg'), wanted: 'pg' });
    expect(account).toEqual({ name: 'pg', switchTo: { uid: 102, gid: 202 } });
  });

  it('is, for root, postgres, or nobody where there is no postgres', () => {
    const choose = (...names: string[]): string =>
      chooseAccount({ uid: 0, passwd: passwd(...names), wanted: '' }).name;
    expect(choose('nobody', 'postgres')).toBe('postgres');
    expect(choose('nobody')).toBe('nobody');
  });

  it('is never invented: without such a user root is told what to set', () => {
    expect(() => chooseAccount({ uid: 0, passwd: passwd(), wanted: undefined })).toThrow(
      /no user postgres or nobody/,
    );
    expect(() => chooseAccount({ uid: 0, passwd: passwd('nobody'), wanted: 'pg' })).toThrow(/no user pg/);
  });

  it('is never root', () => {
    expect(() => chooseAccount({ uid: 0, passwd: passwd(), wanted: 'root' })).toThrow(/does not run as root/);
  });
});
