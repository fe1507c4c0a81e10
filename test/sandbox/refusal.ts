/** Started where bubblewrap is not: asks for the command line of an examiner and says what came of it. */
import { processes } from '../../processes.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { confine } from '@lazaret/system/sandbox.ts';

const settings = JSON.parse(process.env['LAZARET_SETTINGS'] ?? '') as Settings;

function outcome(sandbox: Settings['sandbox']): string {
  try {
    return confine(processes.examiner, { ...settings, sandbox }, { withoutData: true }).strength;
  } catch (error) {
    return (error as { code?: string }).code ?? 'failed';
  }
}

process.stdout.write(`${JSON.stringify({ required: outcome('required'), available: outcome('available') })}\n`);
