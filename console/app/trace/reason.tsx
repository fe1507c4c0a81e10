/** A dialog's last part: why, what went wrong, and the two buttons. */
import { reasonCharactersMax, reasonCharactersMin } from '../../server/answers.ts';
import { Hidden, Trouble, joined, partStyles } from '../parts/parts.tsx';
import dialogStyles from '../object/object.module.css';

export interface ReasonProps {
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly placeholder: string;
  /** What the button does: "Withdraw 12 objects". */
  readonly action: string;
  readonly grave: boolean;
  readonly ready: boolean;
  readonly working: boolean;
  readonly error: Error | null;
  readonly trouble: string;
  readonly onCancel: () => void;
}

/** Characters that a reason still lacks. */
export const lacking = (reason: string): number => reasonCharactersMin - reason.trim().length;

export function Reason({ reason, onReason, placeholder, action, grave, ready, working, error, trouble, onCancel }: ReasonProps) {
  const missing = lacking(reason);
  return (
    <>
      <label>
        Reason
        <textarea value={reason} maxLength={reasonCharactersMax} required onChange={(event) => onReason(event.target.value)} placeholder={placeholder} />
      </label>
      <p className={dialogStyles['note']} role="status">{missing > 0 ? `At least ${reasonCharactersMin} characters: it is read by people who were not here.` : 'It goes on the record with your name.'}</p>
      {error !== null && <Trouble error={error} what={trouble} />}
      <div className={dialogStyles['buttons']}>
        <button type="button" className={partStyles['button']} onClick={onCancel}>Cancel</button>
        <button type="submit" className={joined(partStyles['button'], grave ? dialogStyles['fill'] : partStyles['primary'])} disabled={missing > 0 || working || !ready}>{working ? <>Working…<Hidden> please wait</Hidden></> : action}</button>
      </div>
    </>
  );
}
