import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layoutOf } from '@lazaret/system/layout.ts';
import type { Digest, ObjectId } from '../reception/contract.ts';
import { Admissions } from './admission.ts';
import type { Parts } from './parts.ts';

test('a disk that is nearly full takes nothing more, and touches nothing', async () => {
  // Whatever the admission would use is not there: it must not come that far.
  const admissions = new Admissions({ layout: layoutOf('/nowhere') } as Parts, () => ({ freeBytes: 100 * 2 ** 20, totalBytes: 2 ** 40 }));
  const source = { door: 'association', peer: 'ct', address: '127.0.0.1', callingAETitle: 'CT', calledAETitle: 'LAZARET', batch: '1' } as const;
  await assert.rejects(
    admissions.admit({ objectId: 'a'.repeat(32) as ObjectId, bytes: 1, sha256: 'b'.repeat(64) as Digest, sopClassUID: '', sopInstanceUID: '', transferSyntaxUID: '', source, receivedAt: 0 }),
    { code: 'space-short', severity: 'unavailable', message: /100 MiB/ },
  );
});
