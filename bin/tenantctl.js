#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli/main.js', import.meta.url);

if (existsSync(program)) {
  const { main } = await import(program.href);
  await main();
} else {
  console.error('error: tenantctl is not built: run `npm run build`');
  process.exitCode = 1;
}
