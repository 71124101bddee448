import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/faults.js';
import { json } from '../support/cli.js';
import { query, useServer } from '../support/server.js';
import { FILES, dbmateDirectory } from '../operations/adopt/legacy.js';
import { Project } from './project.js';

const server = useServer();
const POINTS = (Object.keys(FAULT_POINTS) as FaultPoint[]).filter((point) => point.startsWith('adopt.'));
const SCHEMAS = ['acme', 'globex', 'initech'];

/** Schemas and a database that dbmate has made, and the list of them. */
async function legacyProject(): Promise<Project> {
  const directory = dbmateDirectory();
  const project = await new Project(server.current, { migrations: directory }).install();
  const config = join(project.folder, 'tenantctl.config.json');
  const settings = JSON.parse(readFileSync(config, 'utf8')) as object;
  writeFileSync(config, JSON.stringify({ ...settings, migrations: { directory, format: 'dbmate' } }));
  const database = `app_${project.mark}`;
  await query(server.current.adminUrl('postgres'), `create database ${database}`);
  await query(server.current.adminUrl('postgres'), `create database own_${project.mark}`);
  for (const schema of SCHEMAS) await makeSchema(database, schema);
  await makeSchema(`own_${project.mark}`, 'public');
  const rows = [
    ...SCHEMAS.map((id) => `${id},schema,main,${database},${id}`),
    `own,database,main,own_${project.mark},public`,
  ];
  writeFileSync(join(project.folder, 'fleet.csv'), ['id,tier,cluster,database,schema', ...rows].join('\n'));
  return project;
}

async function makeSchema(database: string, schema: string): Promise<void> {
  const versions = Object.keys(FILES).map((name) => `('${name.slice(0, 14)}')`);
  await query(
    server.current.adminUrl(database),
    `create schema if not exists ${schema}; set search_path = ${schema};
      create table schema_migrations (version varchar primary key); insert into schema_migrations values ${versions.join(', ')};
      ${Object.values(FILES).join('\n')}`,
  );
}

describe('adopting', () => {
  it.each(POINTS)('killed at %s is finished by the same command, each tenant once', async (point) => {
    const project = await legacyProject();
    const killed = await project.run('adopt', '--from', 'fleet.csv', '--fail-at', point);
    expect(killed).toMatchObject({ code: null, signal: 'SIGKILL' });
    const again = json<{ adopted: number; existing: number; refused: unknown[] }>(
      await project.do('adopt', '--from', 'fleet.csv', '--json'),
    ).data;
    expect([again.adopted + again.existing, again.refused]).toEqual([4, []]);
    expect(await project.statuses()).toEqual({
      acme: 'active',
      globex: 'active',
      initech: 'active',
      own: 'active',
    });
    const doctor = await project.run('doctor', '--json');
    expect(json<{ findings: unknown[] }>(doctor).data.findings).toEqual([]);
    await project.do('audit', 'verify');
    await project.do('check', 'drift');
  });

  it('has points to be killed at', () => {
    expect(POINTS).toContain('adopt.home-written');
  });
});
