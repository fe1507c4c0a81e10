/**
 * The worklist process: takes questions from the keeper, asks the hospital's Modality Worklist (PS3.4 Annex K), gives back what it said.
 *
 * SECURITY: decodes PDUs, command sets and Identifiers of a system that may be hostile, so this is a sandbox with nothing in it to steal: no object, no
 * database, nothing writable. It connects to the one address of the configuration. What it says is checked by the keeper (pacs/worklist/guards.ts)
 * and read by a person before anything is made of it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectChannel } from '@lazaret/system/channel.ts';
import { unavailable } from '@lazaret/system/failure.ts';
import { runProcess, type Running, type Settings } from '@lazaret/system/process.ts';
import type { AssociationOptions } from '@lazaret/pacs/worklist/association.ts';
import type { Question } from '@lazaret/pacs/worklist/contract.ts';
import { askWorklist, failed } from '@lazaret/pacs/worklist/find.ts';
import { limitsDefault } from '@lazaret/pacs/worklist/limits.ts';

/** The keeper may still be recovering after a crash when we start. */
const keeperTimeoutMs = 30_000;
/** A worklist that is asked by many desks at once is asked so much at a time: each is an association of a system that serves the modalities, too. */
const associationsMax = 4;

await runProcess(worklist);

async function worklist(settings: Settings): Promise<Running> {
  const peer = settings.worklist;
  if (peer === undefined || peer === null) throw unavailable('worklist-unconfigured', 'the configuration names no worklist');
  const channel = await connectChannel(settings.layout.sockets.worklist, keeperTimeoutMs);
  let stopping = false;
  let running = 0;
  let freed: (() => void) | null = null;

  const answer = async ({ id, query }: Question): Promise<void> => {
    running += 1;
    try {
      await channel.request('found', { id, answer: await ask(settings, query) });
    } finally {
      running -= 1;
      freed?.();
    }
  };
  const end = (error: unknown): void => {
    if (stopping) return;
    process.stderr.write(`${(error as Error)?.message ?? String(error)}\n`);
    process.exit(1);
  };
  const loop = async (): Promise<void> => {
    while (!stopping) {
      const question = await channel.request<Question | null>('next', null);
      if (question === null) continue;
      answer(question).catch(end);
      if (running >= associationsMax) await new Promise<void>((resolve) => { freed = resolve; });
      freed = null;
    }
  };
  loop().catch(end);
  void channel.closed.then(() => end(new Error('the keeper closed the connection')));
  return {
    ready: { worklist: { host: peer.host, port: peer.port } },
    async stop() {
      stopping = true;
      channel.close();
      await Promise.resolve();
    },
  };
}

/** Certificates are read for each question: whoever replaces an expired one needs no restart. */
async function ask({ worklist: peer, layout }: Settings, query: Question['query']) {
  const { host, port, calledAETitle, callingAETitle, tls } = peer!;
  let secured: AssociationOptions['tls'] = null;
  if (tls !== undefined && tls !== false) {
    const read = (name: string): string | null => {
      const path = join(layout.worklistTls, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    };
    const authorities = read('authorities.pem');
    // Without somebody to believe, whoever stands in between could say whose an import is.
    if (authorities === null) return failed('The worklist is to be asked by TLS, and there is no authorities.pem in the folder worklist-tls of the data directory to know it by.');
    secured = { name: tls === true ? host : tls.name, authorities, certificate: read('certificate.pem'), key: read('key.pem') };
  }
  return askWorklist({ host, port, calledAETitle, callingAETitle, tls: secured, limits: limitsDefault }, query);
}
