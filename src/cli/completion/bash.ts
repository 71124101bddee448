import type { Level, OptionItem } from './levels.js';

/** Completion for bash: `source <(tenantctl completion bash)`. */
export function bashScript(levels: readonly Level[]): string {
  const options = levels.flatMap((level) => level.options);
  return `# bash completion for tenantctl
_tenantctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' skip='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${valueFlags(options).join('|')}) skip=1; continue ;;
    esac
    case "$path\${path:+ }$word" in
      ${paths(levels)}) path="$path\${path:+ }$word" ;;
    esac
  done
  case $previous in
${valueCases(options)}
  esac
  case $path in
${levels.map(levelCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _tenantctl tenantctl
`;
}

function levelCase({ path, words, options }: Level): string {
  const all = [...words.map(({ word }) => word), ...options.map(({ flag }) => flag)];
  return `    '${path}') words='${all.join(' ')}' ;;`;
}

function paths(levels: readonly Level[]): string {
  return levels.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`])).join('|');
}

/** What follows these is their value, never the name of a command. */
function valueFlags(options: readonly OptionItem[]): string[] {
  const flags = options.flatMap(({ flag, short, value }) =>
    value === undefined ? [] : spellings(flag, short),
  );
  return [...new Set(flags)];
}

function valueCases(options: readonly OptionItem[]): string {
  const lines = options.flatMap(({ flag, short, value }) => {
    if (value === undefined) return [];
    return [`    ${spellings(flag, short).join('|')}) ${completeValue(value)}; return ;;`];
  });
  return [...new Set(lines)].join('\n');
}

function completeValue(value: Exclude<OptionItem['value'], undefined>): string {
  if (value === 'any') return 'COMPREPLY=()';
  if (value === 'path') return 'COMPREPLY=($(compgen -f -- "$current"))';
  return `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$current"))`;
}

function spellings(flag: string, short: string | undefined): string[] {
  return short === undefined ? [flag] : [flag, `-${short}`];
}
