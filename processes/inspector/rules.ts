/** The rule pack that examiners are started with, watched: when another one was chosen they are renewed, and nothing has to be started again. */
import { processes } from '../../processes.ts';
import type { Settings } from '@lazaret/system/process.ts';
import { confine, type Confinement } from '@lazaret/system/sandbox.ts';
import { builtInSigner, packOf, rulesFolder } from '@lazaret/pacs/inspection/rulepack/builtin.ts';
import { choosePack, type Choice } from '@lazaret/pacs/inspection/rulepack/choice.ts';
import type { CommandLine, Pool } from '@lazaret/pacs/inspection/pool.ts';
import type { InspectorStatus } from '@lazaret/pacs/quarantine/requests.ts';
import { yaraName } from '@lazaret/pacs/inspection/engines/yara.ts';

/** A small file is read this often: a person who updates rules sees them in use within some seconds. */
const lookMs = 1_000;
/** An examiner that did not start may have had a bad moment of the machine: it is tried again this often. */
const retryMs = 30_000;

export class RulesInUse {
  readonly #settings: Settings;
  readonly #log: (line: string) => void;
  readonly #builtIn = packOf(rulesFolder).manifest;
  #choice: Choice;
  #tried: string;
  #problem = '';
  #retryAt = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly examiner: Confinement;
  readonly start: () => CommandLine;

  constructor(settings: Settings, log: (line: string) => void) {
    this.#settings = settings;
    this.#log = log;
    this.#choice = choosePack(settings.layout, this.#builtIn.version);
    this.#tried = keyOf(this.#choice);
    this.examiner = this.#confined(this.#choice);
    this.start = () => this.examiner;
  }

  get status(): NonNullable<InspectorStatus['rules']> {
    const { named, current } = this.#choice;
    if (named === null || current === null) return { version: this.#builtIn.version, text: this.#builtIn.text, signer: builtInSigner, problem: this.#problem };
    return { version: current.version, text: current.text, signer: current.signer, problem: this.#problem };
  }

  /** Renews the examiners of `pool` whenever another pack is chosen; `told` after each attempt. */
  watch(pool: Pool, told: () => void): void {
    const look = async (): Promise<void> => {
      const choice = choosePack(this.#settings.layout, this.#builtIn.version);
      const key = keyOf(choice);
      if (key !== this.#tried || (this.#problem !== '' && Date.now() > this.#retryAt)) {
        this.#tried = key;
        if (key === keyOf(this.#choice)) this.#problem = '';
        else await this.#renew(pool, choice);
        told();
      }
      this.#timer = setTimeout(() => void look(), lookMs);
    };
    this.#timer = setTimeout(() => void look(), lookMs);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** What was in use stays in use where the new pack cannot be. */
  async #renew(pool: Pool, choice: Choice): Promise<void> {
    const confined = this.#confined(choice);
    try {
      await pool.renew(() => confined, (engines) => {
        const engine = engines.find(({ name }) => name === yaraName);
        return engine === undefined || engine.state === 'failing' ? (engine?.text ?? 'it has no engine') : null;
      });
      this.#choice = choice;
      this.#problem = '';
    } catch (error) {
      this.#retryAt = Date.now() + retryMs;
      this.#problem = `rule pack ${choice.current?.version ?? this.#builtIn.version} was chosen and cannot be used: ${(error as Error).message}`;
      this.#log(`${this.#problem}\n`);
    }
  }

  #confined({ named }: Choice): Confinement {
    return confine(processes.examiner, this.#settings, named === null ? {} : { env: { LAZARET_RULES: JSON.stringify(named) } });
  }
}

function keyOf({ named }: Choice): string {
  return JSON.stringify(named);
}
