/** Which AE, workstation or gateway is this, and what may it do. The one thing of `hospital` that the PACS imports. */

export interface Asset {
  readonly assetId: string;
  readonly name: string;
  readonly aeTitle: string;
  /** Addresses it may come from: single addresses or CIDR prefixes. Empty with a certificate: any address. */
  readonly addresses: readonly string[];
  /** SHA-256 of its TLS certificate (DER), or null where it has none. */
  readonly certificate: string | null;
  readonly may: readonly ('echo' | 'store' | 'find' | 'retrieve')[];
}

/** What a peer shows of itself when it opens an association. */
export interface PeerIdentity {
  readonly callingAETitle: string;
  readonly address: string;
  readonly certificate: string | null;
}

/** A dual-stack socket reports IPv4 peers as ::ffff:a.b.c.d. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  return mapped?.[1] ?? address;
}
