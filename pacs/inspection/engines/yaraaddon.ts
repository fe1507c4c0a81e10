/** The parts that we use of `@litko/yara-x-linux-x64-gnu` 0.7.2, a Node-API binding of YARA-X 1.20. It comes without types. */
import { createRequire } from 'node:module';

export interface YaraMatch {
  readonly offset: number;
  readonly length: number;
  readonly identifier: string;
}
export interface YaraRuleMatch {
  readonly ruleIdentifier: string;
  readonly namespace: string;
  readonly meta: Readonly<Record<string, string | number | boolean>>;
  readonly tags: readonly string[];
  readonly matches: readonly YaraMatch[];
}
export interface YaraRules {
  scan(bytes: Uint8Array): readonly YaraRuleMatch[];
  /** Milliseconds; a scan that takes longer throws. */
  setTimeout(timeoutMs: number): void;
  setMaxMatchesPerPattern(count: number): void;
  setMatchContextSize(bytes: number): void;
  getWarnings(): readonly unknown[];
  serialize(): Buffer;
}
export interface YaraAddon {
  compile(source: string, options: { readonly enableIncludes: boolean }): YaraRules;
  deserialize(bytes: Buffer): YaraRules;
}

/** Null where the platform has no such package (anything but x86-64 Linux with glibc) or it cannot be loaded. */
export function loadYara(): { readonly addon: YaraAddon; readonly version: string } | { readonly addon: null; readonly text: string } {
  const require = createRequire(import.meta.url);
  try {
    const addon = require('@litko/yara-x-linux-x64-gnu') as YaraAddon;
    const manifest = require('@litko/yara-x-linux-x64-gnu/package.json') as { version: string };
    return { addon, version: manifest.version };
  } catch (error) {
    return { addon: null, text: `YARA-X cannot be loaded on ${process.platform} ${process.arch}: ${(error as Error).message.split('\n')[0]}` };
  }
}
