/** From elements to a recipe: the file for the doors that take files, the Data Set for the one that takes Data Sets. */
import { deflate, encode, fileMeta, part10, transferSyntaxes, type Element, type Encoding } from './encode.ts';
import type { Door, Expected, Recipe } from './recipe.ts';

export interface Ingredients {
  readonly name: string;
  readonly threat: string;
  readonly why: string;
  readonly expected: Expected;
  readonly elements: () => readonly (Element | Uint8Array)[];
  readonly syntax?: keyof typeof transferSyntaxes;
  /** Declared instead of what the syntax is. */
  readonly transferSyntaxUID?: string;
  readonly preamble?: () => Uint8Array;
  /** After the Data Set. Goes over DIMSE too: a Data Set is whatever the sender puts into it. */
  readonly trailing?: () => Uint8Array;
  /** More or other elements of group 2. */
  readonly meta?: readonly Element[];
  /** The whole of group 2 by hand. */
  readonly metaBytes?: (usual: { transferSyntaxUID: string; sopClassUID: string; sopInstanceUID: string }) => Uint8Array;
  /** What must become of it over DIMSE, where it is not the same; null where it makes no sense there. */
  readonly overAssociation?: Expected | null;
  readonly overStow?: Expected;
  readonly doors?: readonly Door[];
  /** Bytes in place of the encoded elements: a stream that was deflated in another way. */
  readonly dataSet?: (encoded: Uint8Array) => Uint8Array;
}

const encodings: Readonly<Record<keyof typeof transferSyntaxes, Encoding>> = {
  implicit: 'implicit', explicit: 'explicit', deflated: 'explicit', big: 'big', jpegBaseline: 'explicit', rle: 'explicit',
};

export function make(from: Ingredients): Recipe {
  const syntax = from.syntax ?? 'explicit';
  const transferSyntaxUID = from.transferSyntaxUID ?? transferSyntaxes[syntax];
  const build = () => {
    const elements = from.elements();
    const text = (tag: string): string => String(elements.find((element): element is Element => !(element instanceof Uint8Array) && element[0] === tag)?.[2] ?? '');
    const encoded = encode(elements, encodings[syntax]);
    const dataSet = from.dataSet?.(encoded) ?? (syntax === 'deflated' ? deflate(encoded) : encoded);
    return { transferSyntaxUID, sopClassUID: text('0008,0016'), sopInstanceUID: text('0008,0018'), dataSet };
  };
  return {
    name: from.name, threat: from.threat, why: from.why, expected: from.expected,
    bytes: () => {
      const built = build();
      return part10({
        ...built,
        meta: from.metaBytes?.(built) ?? fileMeta(built, from.meta ?? []),
        ...(from.preamble === undefined ? {} : { preamble: from.preamble() }),
        ...(from.trailing === undefined ? {} : { trailing: from.trailing() }),
      });
    },
    transfer: from.overAssociation === null ? null : () => {
      const built = build();
      return {
        ...built,
        dataSet: from.trailing === undefined ? built.dataSet : Buffer.concat([built.dataSet, from.trailing()]),
        expected: from.overAssociation ?? from.expected,
      };
    },
    ...(from.overStow === undefined ? {} : { overStow: from.overStow }),
    ...(from.trailing === undefined ? {} : { trailing: () => from.trailing!().length }),
    doors: from.doors ?? (from.overAssociation === null ? ['stow'] : ['association', 'stow']),
  };
}
