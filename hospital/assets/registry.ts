/** The register of DICOM peers: what a valid Asset is, and which one a peer is. Pure; the keeper keeps the rows. */
import { BlockList, isIP } from 'node:net';
import { refused } from '@lazaret/system/failure.ts';
import { plainAddress, type Asset, type PeerIdentity } from './lookup.ts';

/** Long enough for "CT 2, emergency department, ground floor"; it is shown in tables. */
const nameCharactersMax = 64;
/** One gateway may have a few addresses; whole networks are prefixes. */
const addressesMax = 32;
const permissions = ['echo', 'store', 'find', 'retrieve'] as const;

/** Who asks from this machine without being registered: whoever can open a local socket here may send test objects with any AE title. */
export const loopback: Asset = {
  assetId: 'loopback', name: 'This machine', aeTitle: '*', addresses: ['127.0.0.0/8', '::1'], certificate: null, may: ['echo', 'store'],
};

/**
 * Checks what somebody wants to register. Throws `refused` (`asset-invalid`) that names every bad field.
 */
export function checkAsset(untrusted: unknown): Asset {
  if (typeof untrusted !== 'object' || untrusted === null || Array.isArray(untrusted)) throw refused('asset-invalid', 'an asset is an object with assetId, name, aeTitle, addresses, certificate and may');
  const { assetId, name, aeTitle, addresses, certificate, may } = untrusted as Record<string, unknown>;
  const problems: string[] = [];
  const want = (right: boolean, text: string): void => {
    if (!right) problems.push(text);
  };
  want(typeof assetId === 'string' && /^[a-z0-9][a-z0-9-]{0,31}$/.test(assetId) && assetId !== loopback.assetId, 'assetId must be 1 to 32 lower-case letters, digits and hyphens, and not "loopback"');
  want(typeof name === 'string' && name.trim() !== '' && name.length <= nameCharactersMax && !/\p{Cc}/u.test(name), `name must be 1 to ${nameCharactersMax} characters`);
  want(typeof aeTitle === 'string' && isAETitle(aeTitle), 'aeTitle must be 1 to 16 characters without backslash (PS3.5 AE)');
  const list = Array.isArray(addresses) && addresses.length <= addressesMax ? (addresses as unknown[]) : null;
  want(list !== null && list.every((address) => typeof address === 'string' && isAddress(address)), `addresses must be at most ${addressesMax} IP addresses or prefixes such as 10.1.2.0/24`);
  want(certificate === null || (typeof certificate === 'string' && /^[0-9a-f]{64}$/.test(certificate)), 'certificate must be the SHA-256 of a certificate in 64 lower-case hex digits, or null');
  // An AE title is no secret and proves nothing: something else must.
  want(certificate !== null || (list !== null && list.length > 0), 'an asset needs an address or a certificate: an AE title alone proves nothing');
  want(Array.isArray(may) && may.length > 0 && may.every((each) => (permissions as readonly unknown[]).includes(each)), `may must list at least one of ${permissions.join(', ')}`);
  if (problems.length > 0) throw refused('asset-invalid', problems.join('; '));
  return {
    assetId: assetId as string,
    name: (name as string).trim(),
    aeTitle: (aeTitle as string).trim(),
    addresses: [...new Set(addresses as string[])],
    certificate: certificate as string | null,
    may: permissions.filter((each) => (may as string[]).includes(each)),
  };
}

/**
 * The asset that a peer is, or null. A certificate, where the asset has one, must be the peer's; the address must be one of the asset's,
 * where it has any; the AE title must be the asset's. Of several, one known by its certificate is taken first. Without a match a peer
 * on this machine is `loopback`.
 */
export function findAsset(assets: readonly Asset[], peer: PeerIdentity): Asset | null {
  const address = plainAddress(peer.address);
  const matches = assets.filter((asset) => asset.aeTitle === peer.callingAETitle && certificateMatches(asset, peer) && addressMatches(asset, address));
  return matches.find((asset) => asset.certificate !== null) ?? matches[0] ?? (addressMatches(loopback, address) ? loopback : null);
}

function certificateMatches(asset: Asset, peer: PeerIdentity): boolean {
  return asset.certificate === null || asset.certificate === peer.certificate;
}

function addressMatches(asset: Asset, address: string): boolean {
  if (asset.addresses.length === 0) return asset.certificate !== null;
  const family = isIP(address);
  if (family === 0) return false;
  const list = new BlockList();
  for (const each of asset.addresses) {
    const [network, length] = each.split('/') as [string, string | undefined];
    const networkFamily = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (length === undefined) list.addAddress(network, networkFamily);
    else list.addSubnet(network, Number(length), networkFamily);
  }
  return list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** PS3.5 §6.2 AE: 1 to 16 characters of the basic repertoire without backslash; spaces alone are none. */
export function isAETitle(text: string): boolean {
  return /^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(text) && text.trim() !== '';
}

function isAddress(text: string): boolean {
  const [network, length, ...more] = text.split('/') as [string, string | undefined];
  const family = isIP(network);
  if (family === 0 || more.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 6 ? 128 : 32));
}
