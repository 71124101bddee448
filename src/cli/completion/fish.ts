import type { Level, OptionItem } from './levels.js';

/** Completion for fish: a file in `~/.config/fish/completions/`. */
export function fishScript(levels: readonly Level[]): string {
  return [
    '# fish completion for tenantctl',
    'function __tenantctl_at',
    "  set -l place ''",
    '  for word in (commandline -opc)[2..-1]',
    '    switch (string trim "$place $word")',
    `      case ${levels.flatMap(({ path }) => (path === '' ? [] : [quote(path)])).join(' ')}`,
    '        set place (string trim "$place $word")',
    '    end',
    '  end',
    '  test "$place" = "$argv[1]"',
    'end',
    'complete -c tenantctl -f',
    ...levels.flatMap(levelLines),
    '',
  ].join('\n');
}

function levelLines({ path, words, options }: Level): string[] {
  const condition = `complete -c tenantctl -n ${quote(`__tenantctl_at "${path}"`)}`;
  return [
    ...words.map(({ word, summary }) => `${condition} -a ${quote(word)} -d ${quote(summary)}`),
    ...options.map((option) => `${condition} ${optionWords(option)}`),
  ];
}

function optionWords({ flag, short, summary, value }: OptionItem): string {
  const names = `${short === undefined ? '' : `-s ${short} `}-l ${flag.slice(2)}`;
  return `${names}${valueWords(value)} -d ${quote(summary)}`;
}

function valueWords(value: OptionItem['value']): string {
  if (value === undefined) return '';
  if (value === 'path') return ' -r -F';
  return value === 'any' ? ' -x' : ` -x -a ${quote(value.join(' '))}`;
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, (character) => `\\${character}`)}'`;
}
