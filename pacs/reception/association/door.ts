/** The DIMSE door: listeners, who may come in, and the caps on all associations together. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { rejections, type AssociateRJ } from '@lazaret/dicom/upperlayer/pdu.ts';
import { maximumLengthDefault } from '@lazaret/dicom/upperlayer/limits.ts';
import { plainAddress } from '@lazaret/hospital/assets/lookup.ts';
import { ArrivingArea } from '../arrival.ts';
import { Association } from './association.ts';
import type { Keeper } from './keeper.ts';
import { limitsDefault, type AssociationLimits } from './limits.ts';
import { abstractSyntaxes, checkServices, services } from './services.ts';

export interface DoorOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** DICOM TLS (PS3.15 B.12), or null. `trusted`: certificates of authorities, where peers have certificates of one. */
  readonly tls: { readonly port: number; readonly certificate: string; readonly key: string; readonly trusted: string | null } | null;
  readonly aeTitle: string;
  /** Folder that objects are written to. */
  readonly arriving: string;
  readonly privateSOPClasses: readonly string[];
  readonly keeper: Keeper;
  readonly maximumLength: number;
  readonly limits: AssociationLimits;
}

export interface ListeningAddress {
  readonly host: string;
  readonly port: number;
}

/** How often deadlines are looked at; they are seconds long. */
const sweepMs = 250;
/** A handshake is a matter of milliseconds; PS3.8's ARTIM begins after it. */
const handshakeTimeoutMs = 10_000;
const offenceWindowMs = 60_000;
/** Addresses whose offences are remembered; the oldest go first. */
const offendersMax = 4096;

export function doorOptions(options: Omit<DoorOptions, 'limits' | 'maximumLength'> & { readonly limits?: Partial<AssociationLimits>; readonly maximumLength?: number }): DoorOptions {
  return { ...options, maximumLength: options.maximumLength ?? maximumLengthDefault, limits: { ...limitsDefault, ...options.limits } };
}

export class Door {
  readonly options: DoorOptions;
  readonly abstractSyntaxes: ReturnType<typeof abstractSyntaxes>;
  readonly area: ArrivingArea;
  readonly #servers: Server[] = [];
  /** In the order in which they came. */
  readonly #associations = new Set<Association>();
  readonly #halfOpen = new Set<Association>();
  readonly #offences = new Map<string, { count: number; since: number }>();
  #sweeper: NodeJS.Timeout | null = null;
  #stopping = false;
  dimse: ListeningAddress | null = null;
  dimseTls: ListeningAddress | null = null;

  constructor(options: DoorOptions) {
    checkServices(services);
    this.options = options;
    this.area = new ArrivingArea(options.arriving, options.limits.diskFreeBytesMin);
    this.abstractSyntaxes = abstractSyntaxes(options.privateSOPClasses);
  }

  /** Opens the listeners. Rejects when one cannot be opened. */
  async open(): Promise<void> {
    const { host, port, tls } = this.options;
    const server = createServer({ noDelay: true }, (socket) => this.#enter(socket, null));
    server.maxConnections = this.options.limits.connectionsMax;
    this.dimse = await this.#listen(server, host, port);
    if (tls !== null) {
      // BCP 195 (RFC 9325): TLS 1.2 with forward secrecy and authenticated encryption, or 1.3. The peer must show a certificate; which asset it
      // belongs to is found by its digest, so one of no known authority is let in as far as that question, unless authorities are configured.
      const secure = createTlsServer({
        cert: tls.certificate, key: tls.key, ...(tls.trusted === null ? {} : { ca: tls.trusted }),
        requestCert: true, rejectUnauthorized: tls.trusted !== null, minVersion: 'TLSv1.2', honorCipherOrder: true, handshakeTimeout: handshakeTimeoutMs,
        ciphers: 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
      });
      secure.on('secureConnection', (socket: TLSSocket) => {
        const fingerprint = socket.getPeerCertificate().fingerprint256 as string | undefined;
        if (fingerprint === undefined) socket.destroy();
        else this.#enter(socket, fingerprint.replaceAll(':', '').toLowerCase());
      });
      secure.maxConnections = this.options.limits.connectionsMax;
      this.dimseTls = await this.#listen(secure, host, tls.port);
    }
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
  }

  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const server of this.#servers) server.close();
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    await Promise.all([...this.#associations].map((association) => association.stop()));
    for (const association of this.#associations) association.drop();
  }

  #listen(server: Server, host: string, port: number): Promise<ListeningAddress> {
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: 511 }, () => {
        server.off('error', reject);
        // A failed accept (too many descriptors) is not the end of those that are in.
        server.on('error', () => {});
        this.#servers.push(server);
        const address = server.address() as AddressInfo;
        resolve({ host: address.address, port: address.port });
      });
    });
  }

  #enter(socket: Socket, certificate: string | null): void {
    const { limits } = this.options;
    if (this.#stopping || socket.remoteAddress === undefined || this.#associations.size >= limits.connectionsMax) {
      socket.destroy();
      return;
    }
    if (this.#halfOpen.size >= limits.halfOpenMax) this.#halfOpen.values().next().value!.drop();
    const association = new Association(this, socket, plainAddress(socket.remoteAddress), certificate);
    this.#associations.add(association);
    this.#halfOpen.add(association);
    socket.on('close', () => {
      this.#associations.delete(association);
      this.#halfOpen.delete(association);
    });
  }

  /** An A-ASSOCIATE-RQ has come whole. */
  heard(association: Association): void {
    this.#halfOpen.delete(association);
  }

  /** AE-6: whether the caps leave room for one more association from an address. */
  objection(address: string): AssociateRJ | null {
    if (this.#stopping) return rejections.temporaryCongestion;
    if (this.#lockedOut(address)) return rejections.localLimitExceeded;
    let count = 0;
    for (const association of this.#associations) if (association.address === address && !association.halfOpen && ++count >= this.options.limits.associationsPerAddressMax) return rejections.localLimitExceeded;
    return null;
  }

  /**
   * Counts an association of an address that was refused for who it was, or one that broke the protocol. `record`: it goes on the record singly;
   * `last`: it is the last of this minute to do so. Refusals beyond that lock the address out: somebody is trying AE titles.
   */
  offend(address: string, kind: 'refusal' | 'violation'): { readonly record: boolean; readonly last: boolean } {
    const now = Date.now();
    const key = `${kind} ${address}`;
    const known = this.#offences.get(key);
    const entry = known !== undefined && now - known.since < offenceWindowMs ? known : { count: 0, since: now };
    entry.count++;
    this.#offences.delete(key);
    this.#offences.set(key, entry);
    if (this.#offences.size > offendersMax) this.#offences.delete(this.#offences.keys().next().value!);
    const max = this.options.limits.offencesPerMinuteMax;
    return { record: entry.count <= max, last: entry.count === max };
  }

  #lockedOut(address: string): boolean {
    const known = this.#offences.get(`refusal ${address}`);
    return known !== undefined && known.count >= this.options.limits.offencesPerMinuteMax && Date.now() - known.since < offenceWindowMs;
  }

  #sweep(): void {
    const now = Date.now();
    for (const association of this.#associations) association.sweep(now);
  }
}
