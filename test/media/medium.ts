/** Media for the tests of one file: folders and images in a folder of their own. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFolder, type MediumFile } from '@lazaret/tools/recipes/media.ts';

export class Media {
  readonly folder: string;
  #made = 0;

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `lazaret-${name}-`));
  }

  /** The path of a new one: a folder of these files, or a file of these bytes. */
  make(files: readonly MediumFile[] | Buffer, ending = ''): string {
    this.#made += 1;
    const path = join(this.folder, `medium${this.#made}${ending}`);
    if (Buffer.isBuffer(files)) writeFileSync(path, files);
    else {
      mkdirSync(path);
      writeFolder(path, files);
    }
    return path;
  }
}
