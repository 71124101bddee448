import { describe, expect, it } from 'vitest';
import { nameOf, optionsOf, visibleOptions } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { GLOBAL_OPTIONS } from '../../src/cli/globals.js';
import { flagOf } from '../../src/cli/option.js';
import { commandReference } from '../../src/cli/reference.js';

describe('the command reference', () => {
  const text = commandReference(COMMANDS);
  const section = (name: string) => text.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? '';

  it.each(COMMANDS.map(({ spec }) => [nameOf(spec), spec] as const))('covers %s whole', (name, spec) => {
    for (const option of Object.keys(visibleOptions(optionsOf(spec))))
      expect(section(name)).toContain(flagOf(option));
    for (const { run } of spec.examples) expect(section(name)).toContain(run);
  });

  it('covers the global options with their variables and hides what is hidden', () => {
    for (const name of Object.keys(GLOBAL_OPTIONS)) expect(section('Global options')).toContain(flagOf(name));
    expect(text).toContain('`TENANTCTL_CATALOG_URL`');
    expect(text).not.toContain('--fail-at <point>`');
  });

  it('is the same each time', () => {
    expect(commandReference(COMMANDS)).toBe(text);
  });
});
