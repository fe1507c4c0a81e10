/**
 * Taking the bytes of a held object out of the vault: allowed to those who decide, on the record with reason, form and destination before a byte leaves
 * (PS3.15 §A.5.3.5 Export).
 */
import { eventIDs, eventTypes, objectIDTypes, roleIDs } from '@lazaret/audit/codes.ts';
import type { AuditMessage } from '@lazaret/audit/message.ts';
import { refused } from '@lazaret/system/failure.ts';
import { permitted, roles as allRoles, type Role } from '../access/actions.ts';
import type { Accesses } from './accesses.ts';
import type { Conclusions } from './conclusion.ts';
import type { LedgerEntry } from './contract.ts';
import { checkFields, checkObjectId, checkText } from './guards.ts';
import type { LedgerRow } from './ledger.ts';
import type { Parts } from './parts.ts';
import { keeper, objectRecord } from './record.ts';
import { exportForms, type ExportRequest } from './requests.ts';

const reasonMax = 2_000;
const personMax = 128;
const destinationMax = 500;

const forms: Readonly<Record<ExportRequest['form'], string>> = { plain: 'as received, unencrypted', encrypted: 'encrypted', 'de-identified': 'de-identified and encrypted' };

export class Exports {
  readonly #parts: Parts;
  readonly #conclusions: Pick<Conclusions, 'entry'>;
  readonly #accesses: Pick<Accesses, 'note'>;

  constructor(parts: Parts, conclusions: Pick<Conclusions, 'entry'>, accesses: Pick<Accesses, 'note'>) {
    this.#parts = parts;
    this.#conclusions = conclusions;
    this.#accesses = accesses;
  }

  /**
   * Resolves with the entry once the export is on the record. Throws `object-unknown`, `transition-invalid`, `reason-missing`, and `role-missing`, which is on
   * the record, too. Web exports nothing that is not encrypted.
   */
  async handle(untrusted: unknown, by: 'web' | 'terminal'): Promise<LedgerEntry> {
    const request = checkExport(untrusted, by);
    const { ledger, commits } = this.#parts;
    const missing = missingRole(ledger.rowOf(request.objectId), request.roles);
    if (missing !== null) {
      await commits.submit((group) => group.record.message(exportMessage(group.time, ledger.rowOf(request.objectId), request, missing)));
      throw refused('role-missing', missing);
    }
    return commits.submit((group) => {
      const row = ledger.rowOf(request.objectId);
      if (row.state !== 'held') throw refused('transition-invalid', `the object is ${row.state}, not held: there is nothing to export`);
      const message = exportMessage(group.time, row, request, null);
      group.record.message(message);
      this.#accesses.note(message, group.auditEntry);
      return this.#conclusions.entry(row);
    });
  }
}

function missingRole(row: LedgerRow, roles: readonly Role[]): string | null {
  if (!roles.some((role) => permitted[role].includes('decide'))) return 'Taking a held object out of the vault takes the role reviewer or security.';
  return row.verdict === 'malicious' && !roles.includes('security') ? 'What was found malicious is exported by somebody with the role security alone.' : null;
}

function checkExport(untrusted: unknown, by: 'web' | 'terminal'): ExportRequest {
  const value = checkFields(untrusted);
  // Who can open the terminal's socket has the service account, and could copy the file as well.
  const given = by === 'terminal' && value['roles'] === undefined ? ['reviewer', 'security'] : value['roles'];
  const form = exportForms.find((each) => each === (value['form'] ?? 'plain'));
  if (form === undefined || !Array.isArray(given)) throw refused('request-invalid', 'there is no such export');
  if (by === 'web' && form === 'plain') throw refused('request-invalid', 'from here an export is encrypted');
  const optional = (name: string, max: number): string => (value[name] === undefined ? '' : checkText(value[name], name, max).trim());
  const person = checkText(value['person'], 'person', personMax).trim();
  const reason = checkText(value['reason'], 'reason', reasonMax).trim();
  if (person === '') throw refused('request-invalid', 'an export has a person');
  if (reason === '') throw refused('reason-missing', 'say why: it goes on the record');
  return { objectId: checkObjectId(value['objectId']), person, reason, form, address: optional('address', personMax), destination: optional('destination', destinationMax), roles: allRoles.filter((role) => (given as unknown[]).includes(role)) };
}

function exportMessage(time: number, row: LedgerRow, { person, reason, form, address, destination }: ExportRequest, refusal: string | null): AuditMessage {
  return {
    eventID: eventIDs.export, eventTypes: refusal === null ? [] : [eventTypes.useOfRestrictedFunction], action: 'R', time, outcome: refusal === null ? 0 : 4,
    outcomeDescription: refusal === null ? `export of a held object found ${row.verdict}, ${forms[form]}: ${reason}` : `export refused: ${refusal}`,
    participants: [
      { userID: person, userIsRequestor: true, ...(address === '' ? {} : { networkAccessPoint: address }) }, keeper,
      ...(destination === '' ? [] : [{ userID: destination, userIsRequestor: false, roleIDCodes: [roleIDs.destinationMedia] }]),
    ],
    objects: [
      objectRecord(row.object_id, [['sha256', row.sha256], ['SOP Instance UID', row.sop_instance_uid], ['form', forms[form]]]),
      ...(row.patient_id === '' ? [] : [{ typeCode: 1 as const, role: 1, idType: objectIDTypes.patientNumber, id: row.patient_id, name: row.patient_name }]),
    ],
  };
}
