import { existsSync, symlinkSync } from 'node:fs';

/**
 * Makes `npx tenantctl` in a clone run this clone. npm links the programs of a project's dependencies, not
 * the project's own; without the link npx would look for the name in the registry first.
 */
const bin = new URL('../node_modules/.bin/', import.meta.url);
const link = new URL('tenantctl', bin);
if (existsSync(bin) && !existsSync(link)) {
  try {
    symlinkSync('../../bin/tenantctl.js', link);
  } catch {
    // A convenience: `node bin/tenantctl.js` is the same program.
  }
}
