/** Every section of the configuration with values as a real fleet has them; the reference shows it, a test loads it. */
export const EXAMPLE_TEXT = `catalog: { url: '\${CATALOG_URL}' } # or \`catalog: local\`: the local server under .tenantctl/
clusters:
  main:
    url: '\${MAIN_URL}' # direct admin connection; never stored
    app: { host: pgbouncer.internal, port: 6432 } # what \`route\` prints for applications
    region: eu
    labels: { ring: stable }
    maxConnections: 20 # this tool's budget on that server
    maxPerDatabase: 8
    pools: { shared: { database: app_shared, schema: app } }
    schemas: { database: app_shared }
migrations: { directory: migrations, format: postgres-migrations, onForeignSchema: refuse }
tenancy:
  column: tenant_id
  columnType: uuid
  setting: app.tenant_id
  appRole: app_user
  rls: enforce
  extensionsSchema: extensions
  shared: [country, currency]
  names: { schema: 'tenant_{id}', database: 'tenant_{id}' }
plans:
  free: { tier: pool, cluster: main, pool: shared }
  pro: { tier: schema, region: eu, labels: { ring: stable } }
  enterprise:
    { tier: database, cluster: main, limits: { connections: 20, statementTimeout: 30s, storage: 50GB } }
provision: { seed: seeds/tenant.sql }
rollout:
  order: largest-first
  concurrency: 8
  lockTimeout: 2s
  blockingTimeout: 5s
  statementTimeout: 15m
  window: { days: mon-thu, from: '09:00', to: '16:00', zone: Europe/Berlin }
  retries: 5
  failureBudget: { count: 3, percent: 1 }
  onFailure: halt
  waves:
    - name: canary
      select: 'label.ring=canary'
      max: 5
      bake: 10m
      approve: true
      checks:
        - { sql: 'select count(*) > 0 from app_user' }
        - { command: ['./smoke.sh', '{tenant}'] }
    - { name: early, percent: 10, bake: 2m }
    - { name: rest }
  throttle: { replicationLag: 10s, activeSessions: 80% }
moves: { grace: 24h, maxPause: 250ms, maxLag: 1s, atomicBelow: 20000 }
retention: { period: 30d, export: true, max: 25, purgeBatch: 5000, purgePause: 20ms }
backups: [{ name: nightly, clusters: [main], expireAfter: 35d }]
hooks: { afterProvision: [['./notify.sh']], timeout: 30s }
signing: { key: '\${TENANTCTL_SIGNING_KEY}' }
`;
