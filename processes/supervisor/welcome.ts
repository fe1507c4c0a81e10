/** The lines that a person sees once every door is open. Scripts wait for the first one. */
import type { Settings } from '@lazaret/system/process.ts';
import type { ProcessName } from '../../processes.ts';
import type { Child } from './child.ts';

interface Door {
  readonly host: string;
  readonly port: number;
}

/** `Lazaret is ready` and the addresses, the one-time code of the first administrator where there is none yet, and how strongly all is confined. */
export function welcome(settings: Settings, children: ReadonlyMap<ProcessName, Pick<Child, 'ready' | 'confinement'>>): string {
  const door = (process: ProcessName, key: string): Door | null => (children.get(process)?.ready[key] as Door | null | undefined) ?? null;
  const dimse = door('association', 'dimse');
  const dimseTls = door('association', 'dimseTls');
  const https = door('web', 'https');
  const lines = ['Lazaret is ready'];
  const row = (name: string, text: string): void => void lines.push(`  ${name.padEnd(10)} ${text}`);
  if (dimse) row('DIMSE', `${dimse.host}:${dimse.port}  AE Title ${settings.aeTitle}`);
  if (dimseTls) row('DICOM TLS', `${dimseTls.host}:${dimseTls.port}`);
  if (https) {
    const origin = `https://${https.host === '127.0.0.1' || https.host === '::1' ? 'localhost' : https.host}:${https.port}`;
    row('viewer', `${origin}/`);
    row('console', `${origin}/console/`);
    row('DICOMweb', `${origin}/dicomweb`);
  }
  if (settings.worklist) row('worklist', `asks ${settings.worklist.host}:${settings.worklist.port}${settings.worklist.tls ? ' by TLS' : ''}`);
  row('data', settings.layout.data);
  row('sandbox', weakest([...children.values()].map((child) => child.confinement)));
  const code = children.get('keeper')?.ready['firstAdministratorCode'];
  if (typeof code === 'string') {
    lines.push('', `  There is no administrator yet. Sign in with the one-time code ${code} to become the first.`);
  }
  return `${lines.join('\n')}\n`;
}

const order = ['none', 'permission-model', 'namespaces'] as const;

function weakest(confinements: readonly { readonly strength: (typeof order)[number]; readonly text: string }[]): string {
  const sorted = confinements.toSorted((a, b) => order.indexOf(a.strength) - order.indexOf(b.strength));
  return sorted[0]?.text ?? 'none';
}
