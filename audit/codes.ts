/**
 * Codes of DICOM audit messages: PS3.16 CID 400 (Audit Event ID), CID 401 (Audit Event Type Code), CID 402 (Audit Active
 * Participant Role ID Code), CID 404 (Audit Participant Object ID Type Code), and those of ours, in a scheme of our own
 * as PS3.16 §8 wants it (99…), where the standard has none.
 */
import type { Code } from './message.ts';

const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning });
const ours = (value: string, meaning: string): Code => ({ value, scheme: '99LAZARET', meaning });

/** EventID: what happened (CID 400). */
export const eventIDs = {
  applicationActivity: dcm('110100', 'Application Activity'),
  auditLogUsed: dcm('110101', 'Audit Log Used'),
  beginTransferring: dcm('110102', 'Begin Transferring DICOM Instances'),
  instancesAccessed: dcm('110103', 'DICOM Instances Accessed'),
  instancesTransferred: dcm('110104', 'DICOM Instances Transferred'),
  studyDeleted: dcm('110105', 'DICOM Study Deleted'),
  export: dcm('110106', 'Export'),
  import: dcm('110107', 'Import'),
  networkEntry: dcm('110108', 'Network Entry'),
  orderRecord: dcm('110109', 'Order Record'),
  patientRecord: dcm('110110', 'Patient Record'),
  procedureRecord: dcm('110111', 'Procedure Record'),
  query: dcm('110112', 'Query'),
  securityAlert: dcm('110113', 'Security Alert'),
  userAuthentication: dcm('110114', 'User Authentication'),
} as const;

/** EventTypeCode: which kind of it (CID 401), and what only a quarantine does. */
export const eventTypes = {
  applicationStart: dcm('110120', 'Application Start'),
  applicationStop: dcm('110121', 'Application Stop'),
  login: dcm('110122', 'Login'),
  logout: dcm('110123', 'Logout'),
  attach: dcm('110124', 'Attach'),
  detach: dcm('110125', 'Detach'),
  nodeAuthentication: dcm('110126', 'Node Authentication'),
  emergencyOverrideStarted: dcm('110127', 'Emergency Override Started'),
  networkConfiguration: dcm('110128', 'Network Configuration'),
  securityConfiguration: dcm('110129', 'Security Configuration'),
  hardwareConfiguration: dcm('110130', 'Hardware Configuration'),
  softwareConfiguration: dcm('110131', 'Software Configuration'),
  useOfRestrictedFunction: dcm('110132', 'Use of Restricted Function'),
  auditRecordingStopped: dcm('110133', 'Audit Recording Stopped'),
  auditRecordingStarted: dcm('110134', 'Audit Recording Started'),
  objectSecurityAttributesChanged: dcm('110135', 'Object Security Attributes Changed'),
  securityRolesChanged: dcm('110136', 'Security Roles Changed'),
  userSecurityAttributesChanged: dcm('110137', 'User security Attributes Changed'),
  emergencyOverrideStopped: dcm('110138', 'Emergency Override Stopped'),
  admission: ours('admission', 'Admitted to quarantine'),
  duplicate: ours('duplicate', 'Same bytes already kept'),
  conclusion: ours('conclusion', 'Inspection concluded'),
  release: ours('release', 'Held object released'),
  destruction: ours('destruction', 'Held object destroyed'),
  proposal: ours('proposal', 'Decision proposed, a second person is needed'),
  recovery: ours('recovery', 'State recovered after an unclean end'),
  damage: ours('damage', 'Archived file no longer has its digest'),
  lateDetection: ours('late-detection', 'Malicious software found in the archive by a later inspection'),
  rescan: ours('rescan', 'Archive inspected again'),
  mediumBegun: ours('medium-begun', 'Reading of a medium begins'),
  mediumSettled: ours('medium-settled', 'Medium imported'),
  mediumInfected: ours('medium-infected', 'Malicious software on a medium'),
  reconciliation: ours('reconciliation', 'Said whose a study is'),
  backup: ours('backup', 'Backup made'),
  pruning: ours('pruning', 'Older backups removed'),
  restoration: ours('restoration', 'System restored from a backup'),
  repair: ours('repair', 'Damaged file repaired from a backup'),
  verification: ours('verification', 'Digests of all kept files verified'),
  sweep: ours('sweep', 'Background sweep has read all kept files'),
  drill: ours('drill', 'Restore rehearsed'),
  withdrawal: ours('withdrawal', 'Archived object taken out of sight'),
  withdrawalOrdered: ours('withdrawal-ordered', 'Withdrawal ordered by a person'),
  restoral: ours('restoral', 'Withdrawn object brought back'),
  restoralOrdered: ours('restoral-ordered', 'Bringing back of a withdrawal ordered by a person'),
  resendAsked: ours('resend-asked', 'Sender of a held object asked to send it again'),
} as const;

/** MediaType (CID 405). */
export const mediaTypes = {
  usb: dcm('110030', 'USB Disk Emulation'),
  cd: dcm('110032', 'CD'),
  dvd: dcm('110033', 'DVD'),
  uri: dcm('110037', 'URI'),
} as const;

/** RoleIDCode (CID 402). */
export const roleIDs = {
  application: dcm('110150', 'Application'),
  applicationLauncher: dcm('110151', 'Application Launcher'),
  destination: dcm('110152', 'Destination Role ID'),
  source: dcm('110153', 'Source Role ID'),
  destinationMedia: dcm('110154', 'Destination Media'),
  sourceMedia: dcm('110155', 'Source Media'),
} as const;

/** ParticipantObjectIDTypeCode (CID 404, and RFC 3881 for those without a DICOM code). */
export const objectIDTypes = {
  studyInstanceUID: dcm('110180', 'Study Instance UID'),
  sopClassUID: dcm('110181', 'SOP Class UID'),
  nodeID: dcm('110182', 'Node ID'),
  patientNumber: { value: '2', scheme: 'RFC-3881', meaning: 'Patient Number' } as Code,
  userIdentifier: { value: '11', scheme: 'RFC-3881', meaning: 'User Identifier' } as Code,
  uri: { value: '12', scheme: 'RFC-3881', meaning: 'URI' } as Code,
  batch: ours('batch', 'Association or request'),
  object: ours('object', 'Object of the quarantine'),
} as const;
