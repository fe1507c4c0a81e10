/** THREATS C1 to C7 and C9: names, text and references that leave their lane. */
import { encode, header, itemHeader, undefinedLength, withElements, withoutElements, type Element, type Item } from './encode.ts';
import { make } from './make.ts';
import { smallCT, sopClasses } from './objects.ts';
import { clean, malformed, held, uidOf, type Recipe } from './recipe.ts';

/** An instance UID that is something else. The command of a C-STORE cannot carry it past a door that checks UIDs. */
function named(name: string, why: string, sopInstanceUID: string): Recipe {
  return make({ name, threat: 'C1', why, expected: malformed, doors: ['stow'], overAssociation: null, elements: () => withElements(smallCT(name), ['0008,0018', 'UI', sopInstanceUID]) });
}
function told(name: string, threat: string, why: string, change: (elements: readonly Element[]) => readonly (Element | Uint8Array)[]): Recipe {
  return make({ name, threat, why, expected: malformed, elements: () => change(smallCT(name)) });
}

const record = (type: string, next: number, lower: number, more: readonly Element[]): Item => withElements([
  ['0004,1400', 'UL', next], ['0004,1410', 'US', 0xffff], ['0004,1420', 'UL', lower], ['0004,1430', 'CS', type],
], ...more);

/** A DICOMDIR. It is not a Composite Instance: no Storage SOP Class carries one (PS3.4 Annex B). */
function directory(name: string, threat: string, why: string, records: readonly Item[], first = 0): Recipe {
  return make({
    // It conforms as a file of a medium; what nobody may do is file it as an instance.
    name, threat, why, expected: { verdicts: ['clean', 'malformed', 'unscannable'], disarmed: [] }, overStow: held, overAssociation: null,
    elements: () => [['0004,1130', 'CS', 'RECIPES'], ['0004,1200', 'UL', first], ['0004,1202', 'UL', first], ['0004,1212', 'US', 0], ['0004,1220', 'SQ', records]],
    meta: [['0002,0002', 'UI', sopClasses.mediaStorageDirectory], ['0002,0003', 'UI', uidOf(name)]],
  });
}
const image = (path: readonly string[]): Item => record('IMAGE', 0, 0, [['0004,1500', 'CS', path], ['0004,1510', 'UI', sopClasses.ct], ['0004,1511', 'UI', uidOf('referenced')], ['0004,1512', 'UI', '1.2.840.10008.1.2.1']]);

/** What is harmless as long as nobody fetches an address, and nobody makes names of objects of it. */
export const harmlessNames: readonly Recipe[] = [
  make({ name: 'addresses', threat: 'C7', why: 'Addresses that somebody could fetch: they are text, and nothing here asks for them.', expected: clean, elements: () => withElements(smallCT('addresses'), ['0008,1190', 'UR', 'http://169.254.169.254/latest/meta-data'], ['0040,E010', 'UR', 'file://example.invalid/share/x']) }),
  make({ name: 'keys', threat: 'C9', why: 'Names that mean something to programs that make objects of them.', expected: clean, elements: () => withElements(smallCT('keys'), ['0008,1030', 'LO', '__proto__'], ['0009,0010', 'LO', '__proto__'], ['0009,1001', 'LO', 'constructor']) }),
];

export const names: readonly Recipe[] = [
  make({ name: 'pixels-elsewhere', threat: 'C7', why: 'An image without pixels that names a server to fetch them from.', transferSyntaxUID: '1.2.840.10008.1.2.4.94', expected: held, elements: () => withElements(withoutElements(smallCT('pixels-elsewhere'), '7FE0,0010'), ['0028,7FE0', 'UR', 'http://example.invalid/pixels?target=x']) }),
  named('uid-traversal', 'A SOP Instance UID that climbs out of a folder.', '../../../../tmp/lazaret-was-here'),
  named('uid-absolute', 'A SOP Instance UID that is an absolute path.', '/var/lib/lazaret'),
  named('uid-windows', 'A SOP Instance UID that is a device path of Windows.', '..\\..\\CON'),
  named('uid-nul', 'A SOP Instance UID that ends early for whoever stops at NUL.', '1.2.3\0.4.5/../x'),
  named('uid-command', 'A SOP Instance UID that is a shell command to whoever builds command lines.', '1.2.3;touch${IFS}x|$(id)'),
  named('uid-long', 'A SOP Instance UID of 200 digits.', `1.${'2'.repeat(198)}`),
  told('study-uid-traversal', 'C1', 'A Study Instance UID that climbs out of a folder.', (elements) => withElements(elements, ['0020,000D', 'UI', '../../x'])),
  directory('dicomdir-traversal', 'C2', 'A DICOMDIR whose file IDs climb out of the medium.', [image(['..', '..', 'ETC', 'PASSWD']), image(['/ETC/PASSWD']), image(['CON'])]),
  directory('dicomdir-cycle', 'C3', 'A DICOMDIR whose records point to each other in a circle.', [record('PATIENT', 400, 400, [['0010,0010', 'PN', 'A^B'], ['0010,0020', 'LO', '1']]), record('STUDY', 0, 400, [])], 400),
  directory('dicomdir-beyond', 'C3', 'A DICOMDIR whose offsets point far behind its end.', [record('PATIENT', 0x7ffffff0, 0xfffffff0, [])], 0x7ffffff0),
  told('number-markup', 'C4', 'Markup in a decimal string, which can hold digits only.', (elements) => withElements(elements, ['0028,1053', 'DS', '<b>1</b>'])),
  told('date-expression', 'C4', 'An expression where a date belongs.', (elements) => withElements(elements, ['0008,0020', 'DA', '${7*7}'])),
  told('number-integer', 'C4', 'A command in an integer string.', (elements) => withElements(elements, ['0020,0013', 'IS', '1;x=2'])),
  told('charset-nul', 'C6', 'A character set whose name goes on after a NUL: another one to whoever stops there.', (elements) => withElements(elements, ['0008,0005', 'CS', Buffer.from('ISO\0IR 100 ')])),
  told('duplicate-element', 'C5', 'Two Patient IDs: one reader takes the first, another the last.', (elements) => elements.flatMap((element) => (element[0] === '0010,0020' ? [element, ['0010,0020', 'LO', 'SOMEONE-ELSE'] as Element] : [element]))),
  told('elements-unordered', 'C5', 'Patient ID before Patient Name, and again the other way round further on.', (elements) => [...withoutElements(elements, '0010,0020', '7FE0,0010'), ['0010,0020', 'LO', 'LZ-0001'], ...elements.filter(([tag]) => tag === '7FE0,0010')]),
  told('sequence-unordered', 'C5', 'Unordered elements in an Item.', (elements) => withElements(elements, ['0008,1140', 'SQ', [[['0008,1155', 'UI', '2.25.2'], ['0008,1150', 'UI', sopClasses.ct]]]])),
  make({ name: 'uid-disagrees', threat: 'C5', why: 'The File Meta Information names another instance than the Data Set.', expected: malformed, overAssociation: null, meta: [['0002,0003', 'UI', '2.25.4711']], elements: () => smallCT('uid-disagrees') }),
  make({ name: 'class-disagrees', threat: 'C5', why: 'The File Meta Information names another SOP Class than the Data Set.', expected: malformed, overAssociation: null, meta: [['0002,0002', 'UI', sopClasses.secondaryCapture]], elements: () => smallCT('class-disagrees') }),
  told('delimiter-in-sequence', 'C5', 'A Sequence Delimitation Item in the middle of a sequence of defined length.', (elements) => elements.flatMap((element): (Element | Uint8Array)[] => (element[0] === '0008,1090'
    ? [element, header('0008,1140', 'SQ', 16), itemHeader('FFFE,E0DD', 0), encode([['0008,1150', 'UI', '']])]
    : [element]))),
  told('item-undefined-in-defined', 'C5', 'An Item of undefined length that outlives its sequence of defined length.', (elements) => elements.flatMap((element): (Element | Uint8Array)[] => (element[0] === '0008,1090'
    ? [element, header('0008,1140', 'SQ', 8), itemHeader('FFFE,E000', undefinedLength), encode([['0008,1150', 'UI', '1.2']]), itemHeader('FFFE,E00D', 0)]
    : [element]))),
];
