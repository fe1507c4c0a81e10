/** The table of a run. */

export interface Row {
  readonly work: string;
  /** Medians by peer, in the row's unit. */
  readonly figures: Readonly<Record<string, number>>;
  readonly unit: string;
  /** Lazaret over Orthanc, or the figure itself where there is no peer. */
  readonly ratio: number | null;
  readonly target: number;
  /** Less is better: the target is what may not be exceeded. */
  readonly atMost?: true;
  readonly targetText: string;
  /** CPU milliseconds an object, by peer. */
  readonly cpuMs: Readonly<Record<string, number>>;
  /** Where our own CPU time went: milliseconds an object by process. */
  readonly where: Readonly<Record<string, number>>;
  /** Share of the machine's cores that had nothing to do while Lazaret was measured. */
  readonly idle: number | null;
}

export interface Report {
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
  readonly machine: string;
  readonly command: string;
  readonly date: string;
  readonly seconds: number;
}

const figure = (value: number | undefined): string => (value === undefined ? '–' : value >= 100 ? value.toFixed(0) : value.toPrecision(3));

export function markdown({ rows, notes, machine, command, date, seconds }: Report): string {
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  const lines = [
    '# Benchmarks',
    '',
    `Measured on ${date} in ${seconds.toFixed(0)} s by \`${command}\`.`,
    '',
    `Machine: ${machine}. The senders run on the same machine and share its cores with what they measure.`,
    '',
    'Every object that Lazaret takes in is inspected whole (file map, content rules, engines), durable and on the audit log before it counts; a peer is done when a query finds the last object.',
    'The peers inspect nothing. Medians of interleaved runs.',
    '',
    `| work | unit | ${peers.join(' | ')} | ratio | goal | reached |`,
    `|---|---|${peers.map(() => '---:|').join('')}---:|---:|---|`,
    ...rows.map((row) => {
      const reached = reachedOf(row);
      return `| ${row.work} | ${row.unit} | ${peers.map((peer) => figure(row.figures[peer])).join(' | ')} | ${row.ratio === null ? '–' : row.ratio.toFixed(2)} | ${row.targetText} | ${reached === null ? '–' : reached ? 'yes' : '**no**'} |`;
    }),
    '',
  ];
  const costly = rows.filter((row) => Object.keys(row.cpuMs).length > 0);
  if (costly.length > 0) {
    lines.push('CPU milliseconds an object (user and system, all processes of the peer), and where Lazaret\'s went:', '');
    lines.push(`| work | ${peers.join(' | ')} | by process |`, `|---|${peers.map(() => '---:|').join('')}---|`);
    for (const row of costly) {
      const where = Object.entries(row.where).toSorted(([, one], [, other]) => other - one).map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
      lines.push(`| ${row.work} | ${peers.map((peer) => figure(row.cpuMs[peer])).join(' | ')} | ${where.join(', ')} |`);
    }
    lines.push('');
  }
  const short = rows.filter((row) => reachedOf(row) === false);
  if (short.length > 0) {
    lines.push('Not reached:', '');
    for (const row of short) lines.push(`- ${row.work}: ${boundOf(row)}`);
    lines.push('');
  }
  return `${[...lines, ...notes.map((note) => `- ${note}`)].join('\n').trimEnd()}\n`;
}

/** Null where the peer that the target is about is missing. Rows without peers have their target in their own unit. */
function reachedOf(row: Row): boolean | null {
  if (row.ratio !== null) return row.ratio >= row.target;
  if (row.unit === 'objects/s') return null;
  return row.atMost === true ? row.figures['Lazaret']! <= row.target : row.figures['Lazaret']! >= row.target;
}

/** What bounds a row, from what it cost. */
function boundOf(row: Row): string {
  const own = row.cpuMs['Lazaret'];
  const rate = row.figures['Lazaret'];
  if (row.atMost === true) return `${figure(rate ?? 0)} ${row.unit}.`;
  if (own === undefined || rate === undefined || row.unit !== 'objects/s') return `${figure(rate ?? 0)} ${row.unit}: the reader itself, on one core.`;
  const cores = (own * rate) / 1000;
  const [name, ms] = Object.entries(row.where).toSorted(([, one], [, other]) => other - one)[0] ?? ['', 0];
  const used = `our processes used ${cores.toFixed(2)} cores, ${own.toFixed(2)} ms an object, most of it in ${name} (${ms.toFixed(2)} ms)`;
  if (row.idle === null) return `${used}.`;
  const idle = `${(row.idle * 100).toFixed(0)} % of the machine was idle`;
  // What the cores did beyond us is the senders, the kernel for them, and whatever else ran.
  return row.idle < idleShareMin ? `${used}; ${idle}: CPU is the bound, shared with the senders and what else ran.` : `${used}; ${idle}: it waited for the disk, for the sender's next object or for the answer of another process.`;
}

/** Less than this is a machine that is full. */
const idleShareMin = 0.15;
