import { expect, test } from 'vitest';
import { newFleet } from './support/fleet.js';
import { dumpSchemas } from './support/schema-dump.js';
import { useServer } from './support/server.js';

const server = useServer();

const HEAD = `-- What migrations/local and migrations/catalog add up to: made by test/schema-dump.test.ts, which also compares it.
-- Never edited by hand and never run. After a change there: npx vitest run test/schema-dump.test.ts --update
`;

test('migrations/schema.sql is what the migrations of this tool make, on every supported PostgreSQL', async () => {
  const { settings } = await newFleet(server.current);
  const dump = await dumpSchemas(settings.catalogUrl, ['tenantctl', 'tenantctl_catalog']);
  await expect(`${HEAD}\n${dump}`).toMatchFileSnapshot('../migrations/schema.sql');
});
