/**
 * Private elements of known creators that hold more than a number or a name: what each is, and how far it can be read. Names and elements are
 * those of the vendors' conformance statements and of the private dictionaries of DCMTK and pydicom.
 */

/**
 * How a value can be read: by the grammar of csa.ts, protocol.ts, volume.ts or (by what its Item says that it is) parameters.ts; as the times of frames; or not.
 * What is `opaque` is searched for what it must not hold, packed or not.
 */
export type PrivateForm = 'csa' | 'protocol' | 'volume' | 'blob' | 'times' | 'opaque';

export interface PrivateElement {
  /** For people. */
  readonly name: string;
  readonly form: PrivateForm;
  /** No device was seen to write a tenth of it. */
  readonly bytesMax: number;
}

const MiB = 1024 * 1024;

/** Creator → (group << 8 | element of the block) → what it is. Creators are compared without padding. */
// prettier-ignore
const table: Readonly<Record<string, readonly (readonly [element: string, name: string, form: PrivateForm, bytesMax: number])[]>> = {
  'SIEMENS CSA HEADER': [['0029,10', 'CSA Image Header', 'csa', 16 * MiB], ['0029,20', 'CSA Series Header', 'csa', 16 * MiB]],
  'SIEMENS CSA ENVELOPE': [['0029,10', 'syngo report', 'opaque', 64 * MiB], ['0029,11', 'syngo report presentation', 'opaque', 64 * MiB]],
  'SIEMENS CSA NON-IMAGE': [['0029,10', 'CSA Data Info', 'csa', 16 * MiB], ['0029,20', 'CSA Data Info', 'csa', 16 * MiB], ['7FE1,10', 'CSA Data', 'opaque', 4096 * MiB]],
  'SIEMENS MEDCOM HEADER': [['0029,10', 'MedCom Header', 'csa', 16 * MiB], ['0029,20', 'MedCom History', 'opaque', 16 * MiB], ['0029,44', 'Application Header', 'opaque', 64 * MiB]],
  'SIEMENS MEDCOM OOG': [['0029,10', 'graphics objects', 'opaque', 64 * MiB]],
  'SIEMENS MED NM': [['7FE1,10', 'compressed pixels', 'opaque', 4096 * MiB]],
  'SIEMENS MED SMS USG S2000': [['0019,3C', 'thumbnail', 'opaque', 16 * MiB]],
  'GEMS_SERS_01': [['0025,1B', 'protocol', 'protocol', 16 * MiB]],
  'GEMS_PARM_01': [['0043,28', 'unique image identifier', 'opaque', 64 * 1024], ['0043,29', 'histogram tables', 'opaque', MiB], ['0043,2A', 'user data', 'opaque', MiB], ['0043,8B', 'fMRI data', 'opaque', 64 * MiB]],
  'GEMS_MR_RAW_01': [['7001,08', 'raw data', 'opaque', 4096 * MiB]],
  'GEMS_PETD_01': [['0023,02', 'PET raw data', 'opaque', 4096 * MiB]],
  'GEMS_SENO_02': [['0045,3F', 'vignette', 'opaque', 64 * MiB]],
  'GEMS_Ultrasound_MovieGroup_001': [['7FE1,43', 'times of frames', 'times', 64 * MiB], ['7FE1,55', 'setting', 'opaque', 64 * MiB], ['7FE1,60', 'movie', 'opaque', 4096 * MiB], ['7FE1,61', 'movie', 'opaque', 4096 * MiB]],
  KRETZ_US: [['7FE1,01', 'Kretz volume', 'volume', 4096 * MiB]],
  'GEMS_XELPRV_01': [['0033,1C', 'bulk data', 'opaque', 256 * MiB]],
  'Philips US Imaging DD 033': [['200D,0B', 'raw ultrasound data', 'opaque', 4096 * MiB]],
  'Philips US Imaging DD 109': [['200D,09', 'measurement tables', 'opaque', 64 * MiB], ['200D,0B', 'measurement tables', 'opaque', 64 * MiB]],
  'Philips MR Imaging DD 002': [['2005,44', 'blob', 'blob', 64 * MiB]],
  'Philips PET Private Group': [['7053,04', 'PET file', 'opaque', 4096 * MiB]],
  'PHILIPS MR SPECTRO;1': [['0019,50', 'spectroscopy', 'opaque', 256 * MiB]],
  'TOSHIBA MDW HEADER': [['0029,12', 'image header', 'csa', 16 * MiB], ['0029,20', 'series header', 'csa', 16 * MiB]],
  'TOSHIBA MDW NON-IMAGE': [['7FE1,10', 'ultrasound data', 'opaque', 4096 * MiB]],
  'TOSHIBA ENCRYPTED SR DATA': [['7015,00', 'encrypted report', 'opaque', 64 * MiB]],
  'TOSHIBA_MEC_CT3': [['7005,00', 'CT data', 'opaque', 64 * MiB], ['7005,10', 'CT data', 'opaque', 64 * MiB]],
  'TOSHIBA_MEC_MR3': [['700D,08', 'original data', 'opaque', 4096 * MiB], ['700D,8F', 'spectroscopy', 'opaque', 4096 * MiB]],
  'Canon Inc.': [['0019,10', 'acquisition data', 'opaque', 16 * MiB]],
  'HOLOGIC, Inc.': [['7E01,12', 'tomosynthesis pixels', 'opaque', 4096 * MiB], ['7F01,12', 'tomosynthesis pixels', 'opaque', 4096 * MiB]],
  HOLOGIC: [['0023,02', 'scan file', 'opaque', 256 * MiB], ['0023,04', 'report file', 'opaque', 256 * MiB]],
  Hologic: [['0023,02', 'scan file', 'opaque', 256 * MiB], ['0023,04', 'report file', 'opaque', 256 * MiB]],
  ELSCINT1: [['01F7,26', 'scan data', 'opaque', 64 * MiB]],
  'FDMS 1.0': [['0021,80', 'equipment data', 'opaque', 16 * MiB]],
  'MAROTECH Inc.': [['0037,23', 'picture', 'opaque', 16 * MiB]],
};

const known = new Map<string, PrivateElement>();
for (const [creator, elements] of Object.entries(table)) {
  for (const [element, name, form, bytesMax] of elements) known.set(`${creator} ${element}`, { name, form, bytesMax });
}

/** What a private element of this creator is, or null where nobody knows. `tag` with the block that the creator reserved in it. */
export function privateElementOf(creator: string, tag: number): PrivateElement | null {
  const group = (tag >>> 16).toString(16).padStart(4, '0');
  const element = (tag & 0xff).toString(16).padStart(2, '0');
  return known.get(`${creator} ${group},${element}`.replace(/[0-9a-f]{4},[0-9a-f]{2}$/, (text) => text.toUpperCase())) ?? null;
}
