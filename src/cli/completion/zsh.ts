import type { Level, OptionItem } from './levels.js';

/** Completion for zsh: a file `_tenantctl` on `$fpath`. */
export function zshScript(levels: readonly Level[]): string {
  return `#compdef tenantctl
# zsh completion for tenantctl
_tenantctl() {
  local place='' word
  local -a words_so_far
  words_so_far=(\${words[2,CURRENT-1]})
  for word in $words_so_far; do
    case "$place\${place:+ }$word" in
      ${levels.flatMap(({ path }) => (path === '' ? [] : [quote(path)])).join('|')}) place="$place\${place:+ }$word" ;;
    esac
  done
  case $place in
${levels.map(levelCase).join('\n')}
  esac
}
if [ "$funcstack[1]" = "_tenantctl" ]; then _tenantctl "$@"; else compdef _tenantctl tenantctl; fi
`;
}

/** Words are offered beside the options; `_arguments` knows which options take a value. */
function levelCase({ path, words, options }: Level): string {
  const rest = words.length === 0 ? "'*::argument:_default'" : `'*:: :((${words.map(described).join(' ')}))'`;
  return `    ${quote(path)}) _arguments ${[...options.flatMap(optionSpecs), rest].join(' ')} ;;`;
}

function described({ word, summary }: { word: string; summary: string }): string {
  return `${word}\\:"${plain(summary)}"`;
}

function optionSpecs({ flag, short, summary, value }: OptionItem): string[] {
  const names = short === undefined ? [flag] : [`-${short}`, flag];
  return names.map((name) => `'${name}[${plain(summary)}]${valueSpec(value)}'`);
}

function valueSpec(value: OptionItem['value']): string {
  if (value === undefined) return '';
  if (value === 'path') return ':file:_files';
  return value === 'any' ? ':value: ' : `:value:(${value.join(' ')})`;
}

/** Quotes, brackets and colons mean something to `_arguments`. */
function plain(text: string): string {
  return text.replace(/['"`[\]:\\$]/g, '');
}

function quote(text: string): string {
  return `'${text}'`;
}
