/** The file that `tenantctl init` writes. Nothing here costs more than its text: no schema is loaded. */
export const STARTER_FILE = 'tenantctl.config.yaml';

export const STARTER_TEXT = `# Configuration of tenantctl. Every setting: \`tenantctl config schema\`; where values come from: \`tenantctl config show\`.

# The local PostgreSQL server under .tenantctl/. For a real fleet: catalog: { url: "\${CATALOG_URL}" }
catalog: local

# Servers. With \`catalog: local\` and none here there is one cluster "local" with one pool "shared".
# clusters:
#   main:
#     url: "\${MAIN_URL}"
#     pools: { shared: { database: app_shared, schema: app } }

# SQL files NNNN_name.sql; the same for every tier.
migrations: { directory: migrations }

tenancy:
  column: tenant_id # pool tables carry it
  columnType: uuid
  appRole: app_user # the role your application uses

plans:
  free: { tier: pool }
  pro: { tier: schema }
  enterprise: { tier: database, limits: { connections: 20, statementTimeout: 30s, storage: 50GB } }
`;
