/**
 * The keeper: owns every object and the record.
 *
 * SECURITY: the most trusted process after the supervisor; whoever takes it over can let anything in and forget anything. So it decodes
 * nothing that came from outside: it moves files by names that it checks, keeps rows, and appends to the audit log. It has no network
 * and starts no program. Each peer has a socket of its own with its own short table of requests (pacs/quarantine/requests.ts).
 */
import { runProcess, type Running, type Settings } from '@lazaret/system/process.ts';
import { startKeeper } from './keeper.ts';

await runProcess((settings: Settings): Promise<Running> => startKeeper(settings.layout, (error) => {
  process.stderr.write(`the keeper ends itself: ${(error as Error)?.stack ?? String(error)}\n`);
  process.exit(70);
}, {}, settings.worklist ?? null));
