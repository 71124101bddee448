import { defineCommand } from '../command.js';

export const completion = defineCommand({
  path: ['completion'],
  summary: 'print a completion script for a shell',
  arguments: { shell: { summary: 'which shell', choices: ['bash', 'zsh', 'fish'] } },
  examples: [
    { run: 'source <(tenantctl completion bash)', does: 'bash, in ~/.bashrc' },
    { run: 'tenantctl completion zsh > "${fpath[1]}/_tenantctl"', does: 'zsh, once' },
    { run: 'tenantctl completion fish > ~/.config/fish/completions/tenantctl.fish', does: 'fish, once' },
  ],
  needs: 'nothing',
  changes: false,
});
