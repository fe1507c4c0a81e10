/**
 * How each process of ours starts and ends. The parent hands over settings as JSON in LAZARET_SETTINGS; the process answers
 * with one line on stdout, `{"ready":{…}}`, once it does its job. SIGTERM or the end of stdin (the parent is gone) ends it cleanly.
 */
import type { Layout } from './layout.ts';

export interface Settings {
  readonly layout: Layout;
  /** Address to listen on; loopback unless someone chose otherwise. */
  readonly host: string;
  /** 0 takes a free port, which the ready line reports. */
  readonly dimsePort: number;
  readonly dimseTlsPort: number;
  readonly httpsPort: number;
  readonly aeTitle: string;
  /** `required` refuses to start without namespaces; `available` uses the strongest there is; `off` is for tests of the sandbox itself. */
  readonly sandbox: 'required' | 'available' | 'off';
  /** `signatureDays`: older signatures are not trusted; 7 where nothing is said. */
  readonly clamd: ({ readonly host: string; readonly port: number } | { readonly socket: string }) & { readonly signatureDays?: number } | null;
  /** Somebody has chosen that there is no clamd. */
  readonly withoutClamd?: boolean;
  readonly examiners: number;
  /** Whose compressed frames are also decoded: nobody's, everybody's, or those of the peers that are named. */
  readonly decode: 'never' | 'always' | readonly string[];
  readonly privateSOPClasses: readonly string[];
  /** The Modality Worklist SCP of the hospital; without it nothing of the worklist runs. */
  readonly worklist?: WorklistPeer | null;
}

/** Where a Modality Worklist is asked for (PS3.4 Annex K), and as whom. */
export interface WorklistPeer {
  readonly host: string;
  readonly port: number;
  readonly calledAETitle: string;
  readonly callingAETitle: string;
  /** DICOM TLS, with what lies in the folder `worklist-tls`; `name`: the name in the peer's certificate where it is another one than `host`. */
  readonly tls?: boolean | { readonly name: string };
}

export interface Running {
  /** Reported to the parent: addresses, sandbox strength. */
  readonly ready: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Longest a process may take to end its work before it is ended. The whole must be down within 10 s (DESIGN §7). */
const stopTimeoutMs = 6_000;

/** Runs a process' main function with its settings until it is told to stop. */
export async function runProcess(main: (settings: Settings) => Promise<Running>): Promise<void> {
  const settings = JSON.parse(process.env['LAZARET_SETTINGS'] ?? '') as Settings;
  const running = await main(settings);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    running.stop().then(() => process.exit(0), (error: unknown) => {
      process.stderr.write(`${(error as Error)?.stack ?? String(error)}\n`);
      process.exit(1);
    });
  };
  process.on('SIGTERM', stop);
  // The supervisor gets a terminal's SIGINT too and stops us in order; one that reaches us directly is not ours to act on.
  process.on('SIGINT', () => {});
  process.stdin.on('end', stop).on('error', stop).resume();
  process.stdout.write(`${JSON.stringify({ ready: running.ready })}\n`);
}
