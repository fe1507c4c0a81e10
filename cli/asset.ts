/** `./lazaret asset list | add | remove`: the DICOM peers and what they may do. */
import { parseArgs } from 'node:util';
import type { Asset } from '@lazaret/hospital/assets/lookup.ts';
import { printable } from './audit.ts';
import type { Terminal } from './command.ts';
import { withKeeper } from './keeper.ts';

const usage = [
  'Usage: ./lazaret asset list [--json]',
  '       ./lazaret asset add NAME --ae AET (--address ADDRESS… | --certificate SHA256) --may echo,store,find,retrieve [--id ID]',
  '       ./lazaret asset remove ID',
  '',
].join('\n');

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      options: {
        json: { type: 'boolean' }, ae: { type: 'string' }, address: { type: 'string', multiple: true }, certificate: { type: 'string' }, may: { type: 'string', multiple: true }, id: { type: 'string' },
      },
    });
  } catch (error) {
    terminal.stderr.write(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { positionals: [what, name, ...more], values } = parsed;
  const right = (what === 'list' && name === undefined) || (what === 'add' && name !== undefined && values.ae !== undefined && values.may !== undefined) || (what === 'remove' && name !== undefined);
  if (!right || more.length > 0) {
    terminal.stderr.write(usage);
    return 2;
  }
  const request = what === 'list' ? { do: 'list' } : what === 'remove' ? { do: 'remove', asset: { assetId: name } } : { do: 'add', asset: assetOf(name!, values) };
  const assets = await withKeeper(terminal.data, (channel) => channel.request<Asset[]>('assets', request));
  if (values.json === true) for (const asset of assets) terminal.stdout.write(`${JSON.stringify(asset)}\n`);
  else terminal.stdout.write(what === 'list' ? table(assets) : `Done. ${assets.length} ${assets.length === 1 ? 'asset is' : 'assets are'} registered.\n`);
  return 0;
}

type Words = { readonly ae?: string; readonly address?: string[]; readonly certificate?: string; readonly may?: string[]; readonly id?: string };

function assetOf(name: string, values: Words): Asset {
  const assetId = values.id ?? (name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 32) || 'asset');
  return {
    assetId, name, aeTitle: values.ae!, addresses: list(values.address), certificate: values.certificate?.toLowerCase().replaceAll(':', '') ?? null, may: list(values.may) as unknown as Asset['may'],
  };
}

/** Words may be given one by one or with commas between. */
function list(words: readonly string[] | undefined): string[] {
  return (words ?? []).flatMap((word) => word.split(',')).map((word) => word.trim()).filter((word) => word !== '');
}

function table(assets: readonly Asset[]): string {
  const rows = [
    ['ID', 'NAME', 'AE TITLE', 'FROM', 'MAY'],
    ['loopback', 'This machine (built in)', 'any', '127.0.0.0/8 ::1', 'echo store'],
    ...assets.map((asset) => [asset.assetId, printable(asset.name), asset.aeTitle, [...asset.addresses, ...(asset.certificate === null ? [] : [`certificate ${asset.certificate.slice(0, 16)}…`])].join(' '), asset.may.join(' ')]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return `${rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n')}\n`;
}
