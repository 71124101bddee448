import { type Command, type CommandSpec, nameOf, optionsOf, visibleOptions } from './command.js';
import { GLOBAL_OPTIONS } from './globals.js';
import { describeOption, usageLine, variableOf } from './help.js';
import { argumentUsage, type OptionSpecs, usageOf } from './option.js';

/** The reference of all commands as Markdown; `docs/reference/commands.md` is exactly this text. */
export function commandReference(commands: readonly Command[]): string {
  return `${[
    '# Commands',
    '<!-- Generated from src/cli/commands: change the declarations, not this page. -->',
    commands
      .map(
        ({ spec }) => `- [\`${nameOf(spec)}\`](#${nameOf(spec).replaceAll(' ', '-')}): ${cell(spec.summary)}`,
      )
      .join('\n'),
    '## Global options',
    'They stand before or after the name of the command. A flag wins over its variable, that over the configuration file, that over the default.',
    optionTable(GLOBAL_OPTIONS),
    ...commands.map(({ spec }) => commandSection(spec)),
  ].join('\n\n')}\n`;
}

function commandSection(spec: CommandSpec): string {
  const options = visibleOptions(optionsOf(spec));
  const parts = [
    `## ${nameOf(spec)}`,
    `\`tenantctl ${usageLine(spec)}\``,
    spec.description ?? `${spec.summary.charAt(0).toUpperCase()}${spec.summary.slice(1)}.`,
    argumentTable(spec),
    Object.keys(options).length === 0 ? '' : optionTable(options),
    `\`\`\`sh\n${spec.examples.map(({ run, does }) => `# ${does}\n${run}`).join('\n')}\n\`\`\``,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function argumentTable(spec: CommandSpec): string {
  const rows = Object.entries(spec.arguments ?? {}).map(([name, argument]) => {
    const choices = argument.choices === undefined ? '' : ` (${argument.choices.join(', ')})`;
    return `| \`${argumentUsage(name, argument)}\` | ${cell(argument.summary + choices)} |`;
  });
  return rows.length === 0 ? '' : ['| argument | |', '|---|---|', ...rows].join('\n');
}

function optionTable(specs: OptionSpecs): string {
  const rows = Object.entries(specs).map(([name, spec]) => {
    const variable = variableOf(spec);
    const env = variable === undefined ? '' : `\`${variable}\``;
    return `| \`${usageOf(name, spec)}\` | ${cell(describeOption(spec))} | ${env} |`;
  });
  return ['| option | | variable |', '|---|---|---|', ...rows].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
