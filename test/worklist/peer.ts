/** DCMTK's wlmscpfs as the hospital's worklist, its files written from readable recipes by dump2dcm. Used by the tests of pacs/worklist as well. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

export interface Order {
  readonly name: string;
  readonly patientID: string;
  readonly accession: string;
  readonly birthDate?: string;
  readonly sex?: string;
  readonly description?: string;
  readonly date?: string;
  readonly modality?: string;
  /** Defined Term of (0008,0005); the text is written in this encoding. */
  readonly characterSet?: readonly [term: string, encoding: 'latin1' | 'utf8'];
}

export const orders: readonly Order[] = [
  { name: 'LINDGREN^MAJA', patientID: 'L-1001', accession: 'A26-0001', birthDate: '19671103', sex: 'F', description: 'CT chest', date: '20261124', modality: 'CT' },
  { name: 'LINDQVIST^ÅKE', patientID: 'L-1002', accession: 'A26-0002', birthDate: '19400229', sex: 'M', description: 'CT Schädel', date: '20261125', modality: 'CT', characterSet: ['ISO_IR 100', 'latin1'] },
  { name: 'НОВИКОВА^АННА', patientID: 'N-7', accession: 'A26-0003', birthDate: '19900101', sex: 'F', description: 'MR knee', date: '20261124', modality: 'MR', characterSet: ['ISO_IR 192', 'utf8'] },
];

/** An order as dump2dcm reads it; every attribute that wlmscpfs wants to be there. */
function dump(order: Order, index: number): Buffer {
  const lines = [
    ...(order.characterSet === undefined ? [] : [`(0008,0005) CS [${order.characterSet[0]}]`]),
    `(0008,0050) SH [${order.accession}]`, '(0008,0090) PN [REFERRER^R]',
    `(0010,0010) PN [${order.name}]`, `(0010,0020) LO [${order.patientID}]`, '(0010,0021) LO [HOSPITAL]', `(0010,0030) DA [${order.birthDate ?? ''}]`, `(0010,0040) CS [${order.sex ?? ''}]`,
    '(0010,2000) LO []', '(0010,2110) LO []', `(0020,000d) UI [2.25.${1_000 + index}]`, '(0032,1032) PN [REQUESTER^R]', `(0032,1060) LO [${order.description ?? 'Examination'}]`,
    '(0038,0010) LO []', '(0038,0050) LO []', '(0038,0300) LO []', '(0038,0500) LO []',
    '(0040,0100) SQ', '(fffe,e000) na', `(0008,0060) CS [${order.modality ?? 'CT'}]`, '(0032,1070) LO []', '(0040,0001) AE [CT1]', `(0040,0002) DA [${order.date ?? '20261124'}]`, '(0040,0003) TM [080000]',
    '(0040,0006) PN [RADIOGRAPHER^R]', `(0040,0007) LO [${order.description ?? 'Examination'}]`, `(0040,0009) SH [S${index}]`, '(0040,0010) SH [CT1]', '(0040,0011) SH [ROOM]', '(0040,0012) LO []', '(0040,0400) LT []', '(fffe,e00d) na', '(fffe,e0dd) na',
    `(0040,1001) SH [R${index}]`, '(0040,1003) SH [LOW]', '',
  ];
  return Buffer.from(lines.join('\n'), order.characterSet?.[1] ?? 'utf8');
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts wlmscpfs for the AE Title RIS on a free port, until the test ends. It keeps the character set of each file. */
export async function startWorklist(t: Pick<TestContext, 'after'>, wanted: readonly Order[] = orders, options: readonly string[] = []): Promise<{ readonly host: string; readonly port: number; readonly calledAETitle: string; readonly callingAETitle: string }> {
  const base = mkdtempSync(join(tmpdir(), 'lazaret-worklist-'));
  const folder = join(base, 'RIS');
  mkdirSync(folder);
  writeFileSync(join(folder, 'lockfile'), '');
  for (const [index, order] of wanted.entries()) {
    const text = join(base, `${index}.dump`);
    writeFileSync(text, dump(order, index));
    const made = spawnSync('dump2dcm', ['-q', text, join(folder, `${index}.wl`)], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`dump2dcm: ${made.stderr}${made.stdout}`);
  }
  const port = await freePort();
  const child = spawn('wlmscpfs', ['-csk', '-dhl', ...options, '-dfp', base, String(port)], { stdio: 'ignore' });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(base, { recursive: true, force: true });
  });
  for (let attempt = 0; ; attempt += 1) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (up) break;
    if (attempt === 200) throw new Error('wlmscpfs does not listen');
    await wait(50);
  }
  return { host: '127.0.0.1', port, calledAETitle: 'RIS', callingAETitle: 'LAZARET' };
}
