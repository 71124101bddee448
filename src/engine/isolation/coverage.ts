/** How much of what could be tried was tried. */
export interface Coverage {
  /** Tables in which tenants share the rows, and schemas and databases of single tenants. */
  tables: number;
  commands: number;
  roles: number;
  contexts: number;
  /** All there is to be tried, and what of it was. */
  probes: number;
  probed: number;
  notProbed: { where: string; reason: string }[];
}

export function noCoverage(): Coverage {
  return { tables: 0, commands: 0, roles: 0, contexts: 0, probes: 0, probed: 0, notProbed: [] };
}

/** Sums over databases; commands, roles and contexts are the same everywhere, so the largest number stands. */
export function together(parts: readonly Coverage[]): Coverage {
  const most = (of: (part: Coverage) => number) => Math.max(0, ...parts.map(of));
  const sum = (of: (part: Coverage) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    tables: sum(({ tables }) => tables),
    commands: most(({ commands }) => commands),
    roles: sum(({ roles }) => roles),
    contexts: most(({ contexts }) => contexts),
    probes: sum(({ probes }) => probes),
    probed: sum(({ probed }) => probed),
    notProbed: parts.flatMap(({ notProbed }) => notProbed),
  };
}

/** The coverage of things beside tables, each of which is one probe. */
export function objectCoverage(
  probes: number,
  probed: number,
  notProbed: Coverage['notProbed'] = [],
): Coverage {
  return { ...noCoverage(), probes, probed, notProbed };
}
