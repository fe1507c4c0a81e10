import type { Command } from './command.ts';

/** The table of commands; `./lazaret --help` prints it. Modules are loaded only when called: a quick command must start quickly. */
export const commands: readonly Command[] = [
  { name: 'inspect', usage: 'inspect FILE_OR_FOLDER… [--json] [--map]', does: 'inspect files without a server: verdict, findings, digests', module: './inspect.ts' },
  { name: 'doctor', usage: 'doctor [--json]', does: 'what is running, how strongly it is confined, engines, certificates, disk', module: './doctor.ts' },
  { name: 'send', usage: 'send HOST:PORT PATH… [--called AET] [--calling AET]', does: 'send objects by C-STORE', module: './send.ts' },
  { name: 'import', usage: 'import PATH [--patient ID | --as-is] | --receipt ID | --list', does: 'bring in a disc, stick, folder, image file or ZIP; what lies beside the images stays behind', module: './import.ts' },
  { name: 'reconcile', usage: 'reconcile STUDY --patient ID | --back | --history | --find TEXT', does: 'whose a study is: served under a local identity, and back', module: './reconcile.ts' },
  { name: 'quarantine', usage: 'quarantine list [--by medium|study] | show ID | ask ID | export ID | release ID | destroy ID', does: 'the held objects', module: './quarantine.ts' },
  { name: 'worklist', usage: 'worklist NAME | --patient-id ID | --accession NUMBER [--json]', does: 'orders of the hospital\'s worklist', module: './worklist.ts' },
  { name: 'rescan', usage: 'rescan [--since DATE] [--study UID] | status | pause | resume | stop', does: 'inspect the archive again, in the background', module: './rescan.ts' },
  { name: 'trace', usage: 'trace ID | --import ID | --source AE [--since DATE] [--until DATE]', does: 'where objects came from, what came with them, who has seen them', module: './trace.ts' },
  { name: 'withdraw', usage: 'withdraw --import ID | --source NAME | --study UID | ID… --reason TEXT | --list | --restore ID', does: 'take what came from a medium or source out of sight, and bring it back', module: './withdraw.ts' },
  { name: 'rules', usage: 'rules list | test [FOLDER] | update FILE | rollback', does: 'the rules that objects are scanned with', module: './rules.ts' },
  { name: 'token', usage: 'token add NAME --role ROLE | list | remove NAME', does: 'bearer tokens for systems', module: './token.ts' },
  { name: 'user', usage: 'user add NAME --role ROLE | list | remove NAME', does: 'people who may sign in', module: './user.ts' },
  { name: 'asset', usage: 'asset list | add NAME --ae AET --address ADDRESS… --may store | remove ID', does: 'the DICOM peers and what they may do', module: './asset.ts' },
  { name: 'verify', usage: 'verify [--rate MB_PER_SECOND] [--anew]', does: 'every digest, both ways: missing, changed, orphaned', module: './verify.ts' },
  { name: 'backup', usage: 'backup DIR [--passphrase-file FILE] | --prune KEEP', does: 'an incremental, verified backup, while it works', module: './backup.ts' },
  { name: 'restore', usage: 'restore DIR [--at MANIFEST] [--key FINGERPRINT]', does: 'a system from a backup, into an empty data directory', module: './restore.ts' },
  { name: 'repair', usage: 'repair DIR [ID…]', does: 'damaged objects, healed one by one from a backup', module: './repair.ts' },
  { name: 'drill', usage: 'drill DIR [--at MANIFEST] [--scratch FOLDER]', does: 'rehearse a restore, with times', module: './drill.ts' },
  { name: 'audit', usage: 'audit verify | show [--xml]', does: 'the audit log: is every byte as it was written?', module: './audit.ts' },
];
